import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { Beat } from "../beat.ts";
import { inLanes } from "../inLanes.ts";
import type { OpenProof, ProofStore } from "../store/proofStore.ts";
import type { WorkLease } from "../store/workStore.ts";
import { entryCall } from "./entryCall.ts";
import type { ProofMaker } from "./proofMaker.ts";

/** Points between two steps of a proof, each a place to crash at. */
export type ProofStep = "taken" | "collected" | "planned";

interface Options {
  readonly deployment: Deployment;
  /** Whose account pays. */
  readonly signer: Address;
  readonly store: Pick<ProofStore, "take" | "holding" | "planned" | "postpone" | "revive" | "giveUp">;
  /** On shards: proofs of others are left to others. */
  readonly leases: () => readonly WorkLease[];
  readonly proofs: ProofMaker;
  /** The live node with this key in the newest state. */
  readonly nodeByKey: (key: Address) => NodeState | undefined;
  /** Something was planned. */
  readonly onPlanned: () => void;
  readonly onFailed: (cause: unknown, id: Bytes32 | null) => void;
  /** Unix seconds. */
  readonly now: () => number;
  /** Called at each point between two steps, before the next one. */
  readonly onStep?: (step: ProofStep, id: Bytes32) => void;
}

/** Proofs that are made at once. */
const CONCURRENCY = 8;
const POLL_MS = 1_000;
/** Looks at all that waits, so it is done more rarely: what is over cannot be proven meanwhile. */
const GIVE_UP_MS = 10_000;
/** What comes within this time is looked for together. */
const REST_MS = 20;

/**
 * Makes the proofs of accepted evidence that go one by one, and plans their intents. What it cannot make rests and is
 * tried again until its verdict ends; what it had taken when it died is taken up within seconds, by the replica that has
 * the lease on it next. Where both live, only the one that took it last plans.
 */
export class Prover {
  readonly #options: Options;
  readonly #beat = new Beat();

  constructor(options: Options) {
    this.#options = options;
  }

  /** There is something to prove. */
  wake(): void {
    this.#beat.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    let [revivedAt, givenUpAt] = [-Infinity, -Infinity];
    const work = async (): Promise<void> => {
      const now = performance.now();
      if (now - revivedAt >= POLL_MS) {
        revivedAt = now;
        await this.#options.store.revive();
      }
      if (now - givenUpAt >= GIVE_UP_MS) {
        givenUpAt = now;
        await this.#giveUp();
      }
      await this.#proveDue();
    };
    const onFailed = (cause: unknown): void => this.#options.onFailed(cause, null);
    return this.#beat.run(work, POLL_MS, signal, onFailed, REST_MS);
  }

  /** Takes back what had no effect, gives up what is over, and proves what is due. */
  async tick(): Promise<void> {
    await this.#options.store.revive();
    await this.#giveUp();
    await this.#proveDue();
  }

  #giveUp(): Promise<number> {
    const { store, now } = this.#options;
    return store.giveUp(
      now(),
      new CharterError("proof/over", "its verdict has ended, or newer evidence came"),
    );
  }

  async #proveDue(): Promise<void> {
    const { store, leases } = this.#options;
    for (;;) {
      const taken = await store.take("single", CONCURRENCY, leases());
      await store.holding(taken, () => inLanes(taken, CONCURRENCY, (open) => this.#prove(open)));
      if (taken.length < CONCURRENCY) return;
    }
  }

  async #prove(open: OpenProof): Promise<void> {
    const { deployment, signer, store, nodeByKey, onPlanned, onFailed, onStep } = this.#options;
    onStep?.("taken", open.id);
    let made: { readonly system: ProofSystem; readonly proof: Hex };
    try {
      made = await this.#make(open);
    } catch (cause) {
      onFailed(cause, open.id);
      const error = isCharterError(cause)
        ? cause
        : new CharterError("proof/failed", "the proof could not be made", {}, { cause });
      return store.postpone([open], error);
    }
    onStep?.("collected", open.id);
    const call = entryCall(deployment, open, made, nodeByKey(open.accepted.key));
    await store.planned(open, signer, call);
    onStep?.("planned", open.id);
    onPlanned();
  }

  async #make({ system, accepted }: OpenProof): Promise<{ system: ProofSystem; proof: Hex }> {
    const { proofs } = this.#options;
    const { purpose, subject, key, evidence, verdict } = accepted;
    const claim = { purpose, subject, key };
    if (system !== ProofSystem.Committee) {
      const proof = await proofs.direct(claim, evidence, verdict);
      if (proof !== null) return { system: ProofSystem.Direct, proof };
      if (system === ProofSystem.Direct) {
        throw new CharterError(
          "proof/direct-impossible",
          "the app requires a direct proof, and the chain cannot judge this evidence now",
          { kind: evidence.kind, evidenceDigest: verdict.evidenceDigest },
        );
      }
    }
    return {
      system: ProofSystem.Committee,
      proof: await proofs.committee(claim, evidence, verdict),
    };
  }
}
