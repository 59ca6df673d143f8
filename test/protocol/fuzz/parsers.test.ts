import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { random } from "../../support/random.ts";
import { targets, type Target } from "./targets.ts";

/*
 * A seeded fuzzer that knows the structures that it breaks. Coverage-guided fuzzing was tried first: the native part of
 * @jazzer.js/core 4 needs glibc 2.38, and Debian 12 has 2.36.
 */

const isLong = process.env["CHARTER_FUZZ"] === "long";
const CALLS = isLong ? 30_000 : 600;
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

/** Only the long profile looks at time, and at this thread's own: a call that takes more hangs. */
const HANG_MILLISECONDS = 100;
/** What may stay in memory after all calls of one parser, and what the process may ever have taken. */
const MAX_KEPT_BYTES = 64 * 1_048_576;
const MAX_RESIDENT_BYTES = 2048 * 1_048_576;

const shown = (input: unknown): string => {
  const text = input instanceof Uint8Array ? Buffer.from(input).toString("base64") : JSON.stringify(input);
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length})` : text;
};

function keptBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Milliseconds that this thread has worked, whatever else the machine did meanwhile. */
function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The slowest call. */
function fuzz({ name, next }: Target): { readonly milliseconds: number; readonly input: unknown } {
  const source = random(seed);
  let slowest = { milliseconds: 0, input: undefined as unknown };
  let refused = 0;
  for (let i = 0; i < CALLS; i++) {
    const { input, call } = next(source);
    const start = worked();
    try {
      call();
    } catch (error) {
      refused++;
      if (!isCharterError(error)) {
        throw new Error(`${name}, SEED=${seed}, call ${i}: ${shown(input)}`, { cause: error });
      }
    }
    const milliseconds = worked() - start;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, input };
  }
  // A fuzzer that never meets a refusal fuzzes nothing.
  expect(refused, `refusals of ${name}`).to.be.greaterThan(CALLS / 20);
  return slowest;
}

describe("every parser", function () {
  this.timeout(isLong ? 3_600_000 : 120_000);

  let all: Target[];
  // Mocha keeps every frame of every error, which makes thousands of errors in deep recursion cost seconds; programs do not.
  const { stackTraceLimit } = Error;
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  before(async () => {
    Error.stackTraceLimit = 10;
    all = await targets();
    console.log(`      seed: SEED=${seed}`);
  });

  it(`ends ${CALLS} changed inputs in a value or a typed error`, () => {
    for (const target of all) {
      const before = isLong ? keptBytes() : 0;
      const { milliseconds, input } = fuzz(target);
      if (!isLong) continue;
      console.log(`      ${target.name}: slowest call ${milliseconds.toFixed(1)} ms`);
      expect(milliseconds, `${target.name}, SEED=${seed}: ${shown(input)}`).to.be.lessThan(HANG_MILLISECONDS);
      expect(keptBytes() - before, `bytes kept by ${target.name}`).to.be.lessThan(MAX_KEPT_BYTES);
    }
    if (isLong) expect(process.resourceUsage().maxRSS * 1024).to.be.lessThan(MAX_RESIDENT_BYTES);
  });
});
