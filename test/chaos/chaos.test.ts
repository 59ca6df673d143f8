import { availableParallelism } from "node:os";

import { expect } from "chai";

import { runAll } from "./support/runAll.ts";

/** `npm run chaos` makes 500. */
const RUNS = Number(process.env["CHARTER_CHAOS"] ?? 25);
const isLong = process.env["CHARTER_CHAOS"] !== undefined;
/** In CI no run begins after this: on a machine that is much slower than usual some are left out, and it says so. */
const BUDGET_MS = isLong ? Infinity : 300_000;
const SEED = process.env["SEED"];

describe("relayers that die, among endpoints that fail and lie, on a chain that reorganizes", function () {
  this.timeout(isLong ? 0 : 1_500_000);

  it("bring every proof that they accepted onto the chain exactly once, and grant nothing on what was not final", async () => {
    const first = SEED === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(SEED);
    const seeds = Array.from({ length: SEED === undefined ? RUNS : 1 }, (_, run) => first + 2 * run);
    const failed = await runAll(seeds, {
      lanes: Math.min(2, availableParallelism()),
      budgetMs: BUDGET_MS,
      // One that fails is told and the others go on; where many do, each would only take its time to say the same.
      maxFailures: isLong ? 20 : 3,
      say: (line) => console.log(`      ${line}`),
    });
    expect(failed, "seeds that failed").to.deep.equal([]);
  });
});
