import { expect } from "chai";

import { fuzz } from "./fuzz.ts";

/*
 * A seeded fuzzer that knows the structures that it breaks. Coverage-guided fuzzing was tried first: the native part of
 * @jazzer.js/core 4 needs glibc 2.38, and Debian 12 has 2.36.
 */

const isLong = process.env["CHARTER_FUZZ"] === "long";
const CALLS = isLong ? 30_000 : 600;
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

/** Only the long profile looks at time, and at the thread's own: a call that takes more hangs. */
const HANG_MILLISECONDS = 100;
/** What may stay in memory after all calls of one parser, and what the process may ever have taken. */
const MAX_KEPT_BYTES = 64 * 1_048_576;
const MAX_RESIDENT_BYTES = 2048 * 1_048_576;

describe("every parser", function () {
  this.timeout(isLong ? 7_200_000 : 300_000);

  it(`ends ${CALLS} changed inputs in a value or a typed error`, async () => {
    console.log(`      seed: SEED=${seed}`);
    // A call without an end, or one that takes a gigabyte, ends the thread in both profiles.
    const reports = await fuzz(new URL("./targets.ts", import.meta.url), { seed, calls: CALLS, isLong });
    expect(reports.length).to.be.greaterThan(0);
    for (const { name, calls, refused, milliseconds, input, keptBytes } of reports) {
      // A fuzzer that never meets a refusal fuzzes nothing.
      expect(refused, `refusals of ${name}, SEED=${seed}`).to.be.greaterThan(calls / 20);
      if (!isLong) continue;
      console.log(`      ${name}: slowest call ${milliseconds.toFixed(1)} ms`);
      expect(milliseconds, `${name}, SEED=${seed}: ${input}`).to.be.lessThan(HANG_MILLISECONDS);
      expect(keptBytes, `bytes kept by ${name}`).to.be.lessThan(MAX_KEPT_BYTES);
    }
    if (isLong) expect(process.resourceUsage().maxRSS * 1024).to.be.lessThan(MAX_RESIDENT_BYTES);
  });
});
