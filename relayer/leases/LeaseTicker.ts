import type { Lease, SignedLease } from "../../protocol/session/lease.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { signTick } from "./tick.ts";
import type { TypedDataSigner } from "./tick.ts";

/** A lease that was decided, and the final block that the decision cites. */
export interface DecidedLease {
  readonly lease: Lease;
  readonly block: Pick<BlockRef, "number" | "hash">;
}

interface Waiting {
  readonly lease: Lease;
  readonly resolve: (signed: SignedLease) => void;
  readonly reject: (cause: unknown) => void;
}

interface Options {
  readonly chainId: number;
  readonly ledger: Address;
  readonly signer: TypedDataSigner;
  /** Calls `run` once the window has passed; setTimeout in the service, by hand in tests. */
  readonly later: (run: () => void) => void;
}

/** A Merkle path has at most 32 steps; this is far below and bounds the work of one tick. */
const MAX_LEASES_PER_TICK = 4_096;

/**
 * Collects the leases decided within a short window into ticks: one signature each. The key is asked *after* the
 * decision and before anything else happens, so a window only ever delays a lease, never lengthens it: the guest
 * counts `maxSeconds` from when it sent its nonce.
 */
export class LeaseTicker {
  readonly #options: Options;
  /** One open tick per cited block: a tick's signature names exactly one. */
  readonly #open = new Map<string, { block: DecidedLease["block"]; waiting: Waiting[] }>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Signs a decided lease together with the others of its tick. */
  sign({ lease, block }: DecidedLease): Promise<SignedLease> {
    return new Promise((resolve, reject) => {
      const entry = { lease, resolve, reject };
      const tick = this.#open.get(block.hash);
      if (tick !== undefined) {
        tick.waiting.push(entry);
        if (tick.waiting.length >= MAX_LEASES_PER_TICK) this.#close(block.hash);
        return;
      }
      this.#open.set(block.hash, { block, waiting: [entry] });
      this.#options.later(() => this.#close(block.hash));
    });
  }

  #close(hash: string): void {
    const tick = this.#open.get(hash);
    if (tick === undefined) return; // A full tick closed early.
    this.#open.delete(hash);
    const { chainId, ledger, signer } = this.#options;
    signTick(
      tick.waiting.map(({ lease }) => lease),
      tick.block,
      { chainId, ledger },
      signer,
    ).then(
      (signed) => tick.waiting.forEach(({ resolve }, index) => resolve(signed[index] as SignedLease)),
      (cause: unknown) => tick.waiting.forEach(({ reject }) => reject(cause)),
    );
  }
}
