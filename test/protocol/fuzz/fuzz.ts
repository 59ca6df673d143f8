import { Worker } from "node:worker_threads";

/** Where the thread is: the target's number, then that of its call. */
export const PLACES = 2;

export interface FuzzOptions {
  readonly seed: number;
  /** Calls of each parser, less where a target takes a share of them. */
  readonly calls: number;
  /** Whether bytes that stay in memory are counted. */
  readonly isLong: boolean;
  /** How often the thread is looked at, and how often in a row it may be found at the same call. */
  readonly tickMilliseconds?: number;
  readonly hangTicks?: number;
  readonly maxHeapMegabytes?: number;
}

/** What the thread is told. */
export interface FuzzTask extends Pick<FuzzOptions, "seed" | "calls" | "isLong"> {
  readonly module: string;
  readonly places: Int32Array;
}

/** What became of one target. */
export interface FuzzReport {
  readonly name: string;
  readonly calls: number;
  readonly refused: number;
  /** Of the slowest call: what the thread worked, whatever else the machine did. */
  readonly milliseconds: number;
  readonly input: string;
  readonly keptBytes: number;
}

/** `names` before anything runs, then a report of each target, or why it failed. */
export type FuzzMessage =
  { readonly names: readonly string[] } | { readonly report: FuzzReport } | { readonly failed: string };

/** A minute at one call: no parser takes that long on a machine that runs at all. */
const TICK_MILLISECONDS = 1000;
const HANG_TICKS = 60;
const MAX_HEAP_MEGABYTES = 1024;

/**
 * Fuzzes all targets that a module gives, in a thread of their own, so that a call without an end can be ended, and one
 * that takes too much memory ends its thread alone. @throws Error with the target's name, the call and the seed.
 */
export async function fuzz(module: URL, options: FuzzOptions): Promise<FuzzReport[]> {
  const { seed, calls, isLong, tickMilliseconds = TICK_MILLISECONDS, hangTicks = HANG_TICKS } = options;
  const places = new Int32Array(new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT));
  const task: FuzzTask = { module: module.href, places, seed, calls, isLong };
  const worker = new Worker(new URL("./fuzzThread.ts", import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMegabytes ?? MAX_HEAP_MEGABYTES },
  });
  const reports: FuzzReport[] = [];
  let names: readonly string[] | null = null;
  const where = (): string =>
    `${names?.[Atomics.load(places, 0)] ?? "?"}, SEED=${seed}, call ${Atomics.load(places, 1)}`;
  let ticks: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on("message", (message: FuzzMessage) => {
        if ("names" in message) ({ names } = message);
        else if ("report" in message) reports.push(message.report);
        else reject(new Error(message.failed));
      });
      worker.once("error", (cause) => reject(new Error(`the thread ended at ${where()}`, { cause })));
      worker.once("exit", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`the thread ended at ${where()}`));
      });
      let [seen, still] = ["", 0];
      // Counted in looks, not in time: a machine that stands still makes no thread look hung.
      ticks = setInterval(() => {
        if (names === null) return; // Targets are being made.
        const now = where();
        still = now === seen ? still + 1 : 0;
        seen = now;
        if (still >= hangTicks) reject(new Error(`no end of ${now}`));
      }, tickMilliseconds);
    });
  } finally {
    clearInterval(ticks);
    await worker.terminate();
  }
  return reports;
}
