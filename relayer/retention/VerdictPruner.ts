import type { Pool } from "pg";

import { pause } from "../pause.ts";
import { heapWindows } from "../store/heapWindows.ts";
import type { SignedVerdictStore } from "../store/signedVerdictStore.ts";
import { everyHour, REST_MS } from "./everyHour.ts";

interface Options {
  readonly pool: Pool;
  readonly verdicts: Pick<SignedVerdictStore, "prune">;
  /** 0: everything is kept. */
  readonly keepDays: number;
  /** Number of the final block of now. @throws CharterError `chain/…` */
  readonly finalNumber: () => Promise<bigint>;
  readonly onPruned: (rows: number) => void;
  readonly onFailed: (cause: unknown) => void;
}

/**
 * Deletes what a committee signer remembers of evidence that it would judge no more. What it still could judge, and sign
 * another verdict of, is never forgotten: that is told by the evidence's block, not by a clock.
 */
export class VerdictPruner {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Passes every hour until the signal; a failure is told of and waits for the next time. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.keepDays === 0) return;
    await everyHour(() => this.pass(signal, REST_MS), signal, this.#options.onFailed);
  }

  /** Looks at every row once. */
  async pass(signal: AbortSignal, restMs = 0): Promise<void> {
    const { pool, verdicts, keepDays, finalNumber, onPruned } = this.#options;
    if (keepDays === 0) return;
    const finalBlock = await finalNumber();
    for (const window of await heapWindows(pool, "signed_verdicts")) {
      if (signal.aborted) return;
      const pruned = await verdicts.prune(window, keepDays, finalBlock);
      if (pruned > 0) onPruned(pruned);
      if (restMs > 0) await pause(restMs, signal);
    }
  }
}
