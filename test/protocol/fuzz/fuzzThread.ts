import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { random } from "../../support/random.ts";
import type { FuzzMessage, FuzzReport, FuzzTask } from "./fuzz.ts";
import type { Target } from "./target.ts";

/** The thread of `fuzz`: makes the targets, runs one after the other, and says where it is. */
const { module, places, seed, calls, isLong } = workerData as FuzzTask;
const say = (message: FuzzMessage): void => parentPort?.postMessage(message);

const shown = (input: unknown): string => {
  const text = input instanceof Uint8Array ? Buffer.from(input).toString("base64") : JSON.stringify(input);
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length})` : text;
};

function heldBytes(): number {
  if (!isLong) return 0;
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function run({ name, share, next }: Target): Promise<FuzzReport> {
  const source = random(seed);
  const held = heldBytes();
  const count = Math.ceil(calls * share);
  let slowest = { milliseconds: 0, input: undefined as unknown };
  let refused = 0;
  for (let i = 0; i < count; i++) {
    Atomics.store(places, 1, i);
    const { input, call } = next(source);
    const start = worked();
    try {
      await call();
    } catch (error) {
      refused++;
      if (!isCharterError(error)) {
        throw new Error(`${name}, SEED=${seed}, call ${i}: ${shown(input)}`, { cause: error });
      }
    }
    const milliseconds = worked() - start;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, input };
  }
  const { milliseconds, input } = slowest;
  return {
    name,
    calls: count,
    refused,
    milliseconds,
    input: shown(input ?? null),
    keptBytes: heldBytes() - held,
  };
}

// Deep recursion makes long stacks, and thousands of errors with them cost seconds.
Error.stackTraceLimit = 10;
try {
  const all = await ((await import(module)) as { targets: () => Promise<Target[]> }).targets();
  say({ names: all.map(({ name }) => name) });
  for (const [i, target] of all.entries()) {
    Atomics.store(places, 1, 0);
    Atomics.store(places, 0, i);
    say({ report: await run(target) });
  }
} catch (error) {
  say({ failed: inspect(error) });
}
