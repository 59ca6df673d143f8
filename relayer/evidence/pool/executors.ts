import { setImmediate } from "node:timers/promises";

import { Piscina } from "piscina";

import type { Batch, Outcome } from "./batch.ts";

/** What verifies batches. */
export interface Executor {
  run(batch: Batch): Promise<Outcome[]>;
  /** Ends once what it was given is answered. */
  close(): Promise<void>;
}

/** A thread that had nothing to do for so long ends. */
const IDLE_MS = 60_000;

/** Beside the main thread, which stays free for what cannot wait. */
export const inThreads = (threads: number): Executor =>
  new Piscina<Batch, Outcome[]>({
    filename: new URL("verifyBatch.ts", import.meta.url).href,
    minThreads: 0, // One is more than 30 MiB: who has nothing to verify has none.
    maxThreads: threads,
    idleTimeout: IDLE_MS,
  });

/**
 * In the thread that asks, one batch after the other; between them whatever else is due has its turn. Evidence need not be
 * copied, for a process that has little else to do.
 */
export function inThisThread(): Executor {
  const loaded = import("./verifyBatch.ts");
  let last: Promise<unknown> = loaded;
  return {
    run(batch) {
      const running = last.then(async () => {
        await setImmediate();
        return (await loaded).default(batch);
      });
      last = running.catch(() => undefined);
      return running;
    },
    async close() {
      await last;
    },
  };
}
