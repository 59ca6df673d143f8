import type { FastifyBaseLogger } from "fastify";

import type { Bytes32 } from "../../protocol/words/hex.ts";
import { currentRequestId, underRequest } from "../requestId.ts";
import type { Intent, IntentRequest } from "./intent.ts";
import type { OutboxStep } from "./outbox.ts";

/** Requests whose intents are under way; the oldest is forgotten first. */
const MAX_KNOWN = 10_000;

/** Logs what becomes of intents, each step under the id of the request that asked for it, as far as this process knows it. */
export class LoggedSteps {
  readonly #logger: Pick<FastifyBaseLogger, "info">;
  readonly #requests = new Map<Bytes32, string>();

  constructor(logger: Pick<FastifyBaseLogger, "info">) {
    this.#logger = logger;
  }

  /** The same `plan`, which remembers who asked. */
  planning(plan: (request: IntentRequest) => Promise<Intent>): (request: IntentRequest) => Promise<Intent> {
    return (request) => {
      this.wanted([request.id]);
      return plan(request);
    };
  }

  /** The running request wants these effects, which are planned later. */
  wanted(ids: readonly Bytes32[]): void {
    const requestId = currentRequestId();
    if (requestId === undefined) return;
    for (const id of ids) this.#requests.set(id, requestId);
    for (const oldest of this.#requests.keys()) {
      if (this.#requests.size <= MAX_KNOWN) return;
      this.#requests.delete(oldest);
    }
  }

  /** A proof is in a batch, which has an intent of its own for all that are in it. */
  batched(proof: Bytes32, intent: Bytes32): void {
    const requestId = this.#requests.get(proof);
    if (requestId === undefined) return;
    this.#requests.delete(proof);
    underRequest(requestId, () => this.#logger.info({ proof, intent }, "proof went into a batch"));
  }

  /** An intent came this far. */
  step(step: OutboxStep, intent: Bytes32): void {
    const requestId = this.#requests.get(intent);
    if (step === "final") this.#requests.delete(intent);
    underRequest(requestId, () => this.#logger.info({ intent, step }, "intent went on"));
  }
}
