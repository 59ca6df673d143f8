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

/** Characters of evidence that are verified in one turn, unless one piece has more: a usual batch, some milliseconds. */
const MAX_TURN = 200_000;

/**
 * In the thread that asks, one batch after the other, without copies, for a process that has little else to do. What else is
 * due has its turn between batches, and within those whose evidence is long: strangers choose how long.
 */
export function inThisThread(): Executor {
  const loaded = import("./verifyBatch.ts");
  let last: Promise<unknown> = loaded;
  return {
    run(batch) {
      const running = last.then(async () => {
        const { default: verifyBatch } = await loaded;
        const outcomes: Outcome[] = [];
        for (const jobs of turnsOf(batch.jobs)) {
          await setImmediate();
          outcomes.push(...(await verifyBatch({ ...batch, jobs })));
        }
        return outcomes;
      });
      last = running.catch(() => undefined);
      return running;
    },
    async close() {
      await last;
    },
  };
}

/** In their order. */
function turnsOf(jobs: Batch["jobs"]): Batch["jobs"][number][][] {
  const turns: Batch["jobs"][number][][] = [];
  let room = 0;
  for (const job of jobs) {
    const { quote, eventLog, vmConfig } = job.evidence;
    const length = quote.length + eventLog.length + vmConfig.length;
    const turn = turns.at(-1);
    if (turn === undefined || length > room) {
      turns.push([job]);
      room = MAX_TURN;
    } else turn.push(job);
    room -= length;
  }
  return turns;
}
