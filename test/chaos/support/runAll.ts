import { setTimeout as wait } from "node:timers/promises";

import { chaosRun } from "./run.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

interface Options {
  /** Runs side by side, each in a world of its own. */
  readonly lanes: number;
  /** No run begins later. */
  readonly budgetMs: number;
  /** Nor after so many have failed. */
  readonly maxFailures: number;
  readonly say: (line: string) => void;
}

/** Relayers of a world. */
const RELAYERS = 2;
/** A chain that each relayer reads whole when it begins grows with every run: the last shall not take longer than the first. */
const RUNS_OF_A_WORLD = 50;
/** A run that takes longer hangs. */
const RUN_MS = 900_000;
/** Something that does not end in this time is left to itself. */
const STOP_MS = 60_000;

/**
 * One run per seed, a line for each as it ends, and a summary. A world lives on from run to run; where a run fails it is
 * ended and the next run has a new one. Gives the seeds that failed.
 */
export async function runAll(seeds: readonly number[], options: Options): Promise<number[]> {
  const { lanes, budgetMs, maxFailures, say } = options;
  const began = performance.now();
  const failed: number[] = [];
  const tookMs: number[] = [];
  let next = 0;
  /** One after another: two chains that begin in the same second are one and the same to whoever deploys there. */
  let starts: Promise<unknown> = Promise.resolve();
  const start = (): Promise<World> => {
    const started = starts.then(() => startWorld(RELAYERS));
    starts = started.catch(() => undefined);
    return started;
  };

  const lane = async (): Promise<void> => {
    let world: World | undefined;
    let runs = 0;
    while (next < seeds.length && failed.length < maxFailures && performance.now() - began < budgetMs) {
      const seed = seeds[next++] as number;
      try {
        if (runs >= RUNS_OF_A_WORLD) {
          await ended(world, say);
          world = undefined;
        }
        if (world === undefined) {
          runs = 0;
          const starting = performance.now();
          world = await start();
          say(`a world stands (${Math.round(performance.now() - starting)} ms)`);
        }
        runs++;
        const started = performance.now();
        const told = await within(RUN_MS, "the run", chaosRun(world, seed));
        tookMs.push(performance.now() - started);
        say(`SEED=${seed}: ${told} (${Math.round(tookMs.at(-1) ?? 0)} ms)`);
      } catch (error) {
        failed.push(seed);
        say(
          `SEED=${seed} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
        if (world !== undefined) {
          say(`ended: ${world.replicas.ended.slice(-6).join(", ")}`);
          say(`last words:\n${world.replicas.lastWords()}`);
        }
        await ended(world, say);
        world = undefined;
      }
    }
    await ended(world, say);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, seeds.length) }, lane));

  const sorted = tookMs.toSorted((a, b) => a - b);
  const seconds = (ms = 0): string => (ms / 1_000).toFixed(1);
  const median = sorted[Math.floor(sorted.length / 2)];
  say(
    `${next} of ${seeds.length} runs in ${seconds(performance.now() - began)} s: ${tookMs.length} as promised ` +
      `(half within ${seconds(median)} s, all within ${seconds(sorted.at(-1))} s), ${failed.length} failed`,
  );
  if (next < seeds.length)
    say(`${seeds.length - next} runs were left out: too little time, or too many failures`);
  for (const seed of failed) say(`failed: SEED=${seed} npm run chaos`);
  return failed;
}

/** Whatever state it is in: it may not hold up the others. */
async function ended(world: World | undefined, say: (line: string) => void): Promise<void> {
  if (world === undefined) return;
  try {
    await within(STOP_MS, "the world's end", world.stop());
  } catch (error) {
    say(`a world could not be ended cleanly: ${String(error)}`);
  }
}

/** The same, or a failure once it takes too long. */
async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = wait(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what} took longer than ${ms} ms`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined); // Where it is late, nobody hears of its failure.
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
