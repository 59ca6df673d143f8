import { randomUUID } from "node:crypto";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { Beat } from "../beat.ts";
import type { IntentStore, SignerLease } from "../store/intentStore.ts";
import { Beginner } from "./Beginner.ts";
import type { FeeCaps } from "./fees.ts";
import type { Intent, IntentRequest, IntentState } from "./intent.ts";
import type { OutboxChain, TransactionSigner } from "./seams.ts";
import { Mover } from "./Mover.ts";

/** Points between two steps, each a place to crash at. */
export type OutboxStep = "planned" | "stored" | "handed-over" | "sent" | "included" | "final";

export interface OutboxOptions extends Partial<FeeCaps> {
  readonly chainId: number;
  readonly chain: OutboxChain;
  readonly store: IntentStore;
  readonly signer: TransactionSigner;
  /** Name of this replica in the signer's lease; random by default. */
  readonly holder?: string;
  readonly leaseMs?: number;
  /** Milliseconds between ticks of `run`; `plan` and `wake` shorten one. 500 by default. */
  readonly pollMs?: number;
  /** Milliseconds between two looks at where the signer stands on chain, while nothing is open. 10,000 by default. */
  readonly idleLookMs?: number;
  /** Blocks that sent bytes may wait before they are replaced by bytes with higher fees. */
  readonly bumpAfterBlocks?: number;
  /** Nonces that may wait to be mined at once. */
  readonly maxInFlight?: number;
  /** Refusals by the node in a row after which an intent is given up. */
  readonly maxRefusals?: number;
  /** Questions to the chain at once. */
  readonly concurrency?: number;
  /** Unix seconds, for deadlines; the clock by default. */
  readonly now?: () => number;
  /** Called at each point between two steps, before the next one: metrics, and tests that crash there. */
  readonly onStep?: (step: OutboxStep, id: Bytes32) => void;
}

export interface OutboxStatus {
  /** Does this replica write for the signer? */
  readonly leading: boolean;
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

/** Renewals per lease, while a pass lasts. */
const RENEWALS = 4;
const DEFAULTS = {
  leaseMs: 15_000,
  pollMs: 500,
  idleLookMs: 10_000,
  bumpAfterBlocks: 6,
  maxFeePerGasWei: 500_000_000_000n,
  maxPriorityFeePerGasWei: 500_000_000_000n,
  maxInFlight: 64,
  maxRefusals: 100,
  concurrency: 16,
  now: () => Math.floor(Date.now() / 1_000),
  onStep: () => undefined,
};

/**
 * Brings planned calls onto the chain, each exactly once as far as its contract is idempotent: nonce and signed bytes
 * are stored before they are sent, so a crash anywhere is healed by sending stored bytes again.
 */
export class Outbox {
  readonly #options: Required<OutboxOptions>;
  readonly #beat = new Beat();
  readonly #mover: Mover;
  readonly #beginner: Beginner;
  #lease: SignerLease | null = null;
  #renewedAt = 0;
  /** When the chain was asked where the signer stands, and under which lease. */
  #looked: { readonly fence: bigint; readonly at: number } | null = null;
  #lastError: CharterError | null = null;

  constructor(options: OutboxOptions) {
    this.#options = { ...DEFAULTS, holder: randomUUID(), ...options };
    this.#mover = new Mover(this.#options);
    this.#beginner = new Beginner(this.#options, this.#mover);
  }

  /** Idempotent: the same id gives the stored intent; one that failed or was replaced is planned again. */
  async plan(request: IntentRequest): Promise<Intent> {
    const intent = await this.#options.store.plan(this.#options.signer.address, request);
    this.#options.onStep("planned", intent.id);
    this.wake();
    return intent;
  }

  intentById(id: Bytes32): Promise<Intent | null> {
    return this.#options.store.byId(id);
  }

  counts(): Promise<Record<IntentState, number>> {
    return this.#options.store.counts();
  }

  status(): OutboxStatus {
    const error = this.#lastError;
    return {
      leading: this.#lease !== null,
      lastError: error && { code: error.code, message: error.message },
    };
  }

  /** Ends the current wait of `run`. */
  wake(): void {
    this.#beat.wake();
  }

  /** Ticks until `signal` aborts, then lets another replica take over. `status()` says what failed. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#beat.run(() => this.tick(), this.#options.pollMs, signal);
    if (this.#lease) await this.#options.store.release(this.#lease).catch(() => undefined);
    this.#lease = null;
  }

  /** One pass over everything open; nothing when another replica leads. One at a time. */
  async tick(): Promise<void> {
    try {
      await this.#pass();
      this.#lastError = null;
    } catch (error) {
      this.#lastError = isCharterError(error)
        ? error
        : new CharterError("outbox/failed", "a pass over the outbox failed", {}, { cause: error });
      if (this.#lastError.code === "outbox/lease-lost") this.#lease = null;
      throw this.#lastError;
    }
  }

  async #pass(): Promise<void> {
    const { store, chain, signer, holder, leaseMs, maxInFlight } = this.#options;
    this.#renewedAt = performance.now();
    this.#lease = await store.acquire(signer.address, holder, leaseMs, this.#lease?.fence);
    if (!this.#lease) return;
    // Also while a single answer is awaited: two replicas whose node takes longer than a lease would else take it from each
    // other for ever. One that fails is tried again before the next write, which tells.
    const renewing = setInterval(() => void this.#keepLease().catch(() => undefined), leaseMs / RENEWALS);
    try {
      const open = await store.inFlight(signer.address);
      if (open.length === 0 && !this.#mustLook(this.#lease)) {
        const ready = await store.ready(signer.address, 1);
        if (ready.length === 0) return;
      }
      const pass = {
        lease: this.#lease,
        position: await chain.position(signer.address),
        keepLease: () => this.#keepLease(),
      };
      this.#looked = { fence: this.#lease.fence, at: performance.now() };
      await this.#mover.fillGaps(pass, open);
      // What is mined holds up nothing, final or not.
      const room = maxInFlight - (await this.#mover.advance(pass, open));
      if (room > 0) await this.#beginner.begin(pass, await store.ready(signer.address, room));
    } finally {
      clearInterval(renewing);
    }
  }

  /**
   * With nothing open the chain is asked only now and then, and first of all: what was final may have been taken back, by a
   * deep reorg or while this replica did not lead.
   */
  #mustLook({ fence }: SignerLease): boolean {
    if (fence !== this.#looked?.fence) return true;
    return performance.now() - this.#looked.at >= this.#options.idleLookMs;
  }

  /** A long pass must not outlive its lease. */
  async #keepLease(): Promise<void> {
    const { store, leaseMs } = this.#options;
    if (this.#lease === null || performance.now() - this.#renewedAt < leaseMs / RENEWALS) return;
    const at = performance.now();
    await store.renew(this.#lease, leaseMs);
    this.#renewedAt = at;
  }
}
