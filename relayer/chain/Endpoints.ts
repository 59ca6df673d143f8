import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Endpoint } from "./Endpoint.ts";
import type { EndpointHealth, RpcCall } from "./Endpoint.ts";
import { outcomeKey } from "./outcomeKey.ts";

/** Several endpoints as one node. */
export interface EndpointsOptions {
  readonly endpoints: readonly Endpoint[];
  /** How many must say the same. 1: the quickest one is believed, the others stand in for it. */
  readonly quorum: number;
}

type Outcome = { readonly result: unknown } | { readonly refusal: Error };

const BLOCK_BY_NUMBER = "eth_getBlockByNumber";
const HEADS: ReadonlySet<unknown> = new Set(["latest", "safe", "finalized"]);

/**
 * Questions whose answers are the same at every honest node. The rest (fees, estimates, nonces, calls on a moving head)
 * is a hint for the outbox, whose effects the contracts judge anyway: one endpoint answers it.
 */
function isAgreeable({ method, params }: RpcCall): boolean {
  const last = Array.isArray(params) ? (params.at(-1) as unknown) : undefined;
  switch (method) {
    case "eth_chainId":
    case "eth_getLogs":
    case "eth_getTransactionReceipt":
    case "eth_getBlockByHash":
    case BLOCK_BY_NUMBER:
      return true;
    case "eth_call":
    case "eth_getCode":
      return typeof last === "string" && last.startsWith("0x");
    default:
      return false;
  }
}

/**
 * Reads agreed upon by several endpoints (DESIGN section 6): what a decision rests on is what `quorum` of them say alike,
 * at a height that as many have reached. Transactions go to all.
 */
export class Endpoints {
  readonly #endpoints: readonly Endpoint[];
  readonly #quorum: number;

  /** @throws CharterError `config/invalid` for a quorum that these endpoints cannot give. */
  constructor({ endpoints, quorum }: EndpointsOptions) {
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > endpoints.length) {
      throw new CharterError("config/invalid", "CHARTER_RPC_QUORUM: expected 1 to the number of endpoints", {
        expected: endpoints.length,
        actual: quorum,
      });
    }
    this.#endpoints = endpoints;
    this.#quorum = quorum;
  }

  health(): readonly EndpointHealth[] {
    return this.#endpoints.map((endpoint) => endpoint.health());
  }

  /** @throws viem's error of the node, CharterError `chain/endpoints-disagree`. */
  async request(call: RpcCall): Promise<unknown> {
    if (call.method === "eth_sendRawTransaction") return this.#broadcast(call);
    if (this.#quorum === 1) return this.#quickest(call);
    if (call.method === "eth_blockNumber") return quantity((await this.#agreedHead("latest")).number);
    const [block] = Array.isArray(call.params) ? (call.params as unknown[]) : [];
    if (call.method === BLOCK_BY_NUMBER && HEADS.has(block))
      return (await this.#agreedHead(block as string)).block;
    return isAgreeable(call) ? this.#agreed(call) : this.#quickest(call);
  }

  /** The highest block that `quorum` endpoints have reached, and the same at as many. */
  async #agreedHead(tag: string): Promise<{ readonly number: bigint; readonly block: unknown }> {
    const asked = this.#usable(this.#quorum);
    const answers = await Promise.allSettled(
      asked.map((endpoint) => endpoint.request({ method: BLOCK_BY_NUMBER, params: [tag, false] })),
    );
    const heights = answers
      .flatMap((answer) => (answer.status === "fulfilled" ? [heightOf(answer.value)] : []))
      .filter((height) => height !== undefined)
      .sort((a, b) => (a < b ? 1 : -1));
    const number = heights[this.#quorum - 1];
    if (number === undefined) throw failureOf(answers) ?? disagree(BLOCK_BY_NUMBER, this.#quorum);
    const block = await this.#agreed({ method: BLOCK_BY_NUMBER, params: [quantity(number), false] });
    return { number, block };
  }

  /** Asks all that are usable, and answers as soon as `quorum` of them have said the same. */
  #agreed(call: RpcCall): Promise<unknown> {
    const asked = this.#usable(this.#quorum);
    return new Promise((resolve, reject) => {
      const said = new Map<string, { readonly by: Endpoint[]; readonly outcome: Outcome }>();
      let silence: unknown;
      let left = asked.length;
      let decided: string | undefined;
      const hear = (endpoint: Endpoint, key: string, outcome: Outcome): void => {
        if (decided !== undefined) {
          if (key !== decided) endpoint.contradict();
          return;
        }
        const group = said.get(key) ?? { by: [], outcome };
        said.set(key, group);
        group.by.push(endpoint);
        if (group.by.length < this.#quorum) return;
        decided = key;
        for (const [other, { by }] of said) if (other !== key) for (const wrong of by) wrong.contradict();
        if ("result" in outcome) resolve(outcome.result);
        else reject(outcome.refusal);
      };
      const end = (): void => {
        left--;
        if (left > 0 || decided !== undefined) return;
        // Several versions are a contradiction; one version and silence are silence.
        reject(
          said.size <= 1 && silence !== undefined ? (silence as Error) : disagree(call.method, this.#quorum),
        );
      };
      for (const endpoint of asked) {
        endpoint
          .request(call)
          .then(
            (result) => hear(endpoint, outcomeKey(call.method, { result }), { result }),
            (error: Error) => {
              const key = outcomeKey(call.method, { refusal: error });
              if (key === undefined) silence = error;
              else hear(endpoint, key, { refusal: error });
            },
          )
          .finally(end);
      }
    });
  }

  /** The quickest endpoint that answers; the next one where it is silent. */
  async #quickest(call: RpcCall): Promise<unknown> {
    let silence: unknown;
    for (const endpoint of this.#usable(1).toSorted((a, b) => a.latencyMs - b.latencyMs)) {
      try {
        return await endpoint.request(call);
      } catch (error) {
        if (outcomeKey(call.method, { refusal: error }) !== undefined) throw error;
        silence = error;
      }
    }
    throw silence;
  }

  /** To every endpoint: one that drops or withholds it does not matter while another takes it. */
  async #broadcast(call: RpcCall): Promise<unknown> {
    const answers = await Promise.allSettled(
      this.#usable(this.#endpoints.length).map((endpoint) => endpoint.request(call)),
    );
    const taken = answers.find((answer) => answer.status === "fulfilled");
    if (taken) return taken.value;
    throw failureOf(answers) ?? disagree(call.method, 1);
  }

  /** Those not at rest; where they are too few, also those whose rest ends soonest: silence must not outlast its cause. */
  #usable(least: number): readonly Endpoint[] {
    const usable = this.#endpoints.filter((endpoint) => endpoint.isUsable);
    if (usable.length >= least) return usable;
    const resting = this.#endpoints.filter((endpoint) => !endpoint.isUsable);
    const soonest = resting.toSorted((a, b) => a.restsUntil - b.restsUntil);
    return [...usable, ...soonest.slice(0, least - usable.length)];
  }
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

function heightOf(block: unknown): bigint | undefined {
  const number = (block as { number?: unknown } | null)?.number;
  return typeof number === "string" && /^0x[0-9a-f]{1,16}$/i.test(number) ? BigInt(number) : undefined;
}

/** A refusal says more than silence. */
function failureOf(answers: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const failures = answers.flatMap((answer) =>
    answer.status === "rejected" ? [answer.reason as Error] : [],
  );
  return failures.find((error) => outcomeKey("", { refusal: error }) !== undefined) ?? failures[0];
}

const disagree = (method: string, quorum: number): CharterError =>
  new CharterError("chain/endpoints-disagree", "too few endpoints say the same", {
    method,
    expected: quorum,
  });
