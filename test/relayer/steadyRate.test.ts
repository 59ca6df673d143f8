import { expect } from "chai";

import { steadyRate, type Passage } from "../../bench/support/steadyRate.ts";

/** Seconds, what went in, what came out. */
const passages = (...all: readonly (readonly [number, number, number])[]): Passage[] =>
  all.map(([seconds, accepted, final]) => ({ at: 1_000 * seconds, accepted, final }));

describe("the rate of verdicts while all stages are busy", () => {
  it("is counted from the first finality to the last before the input ends", () => {
    const seen = passages(
      ...([
        [1, 100, 0],
        [2, 200, 50],
        [3, 300, 50],
        [4, 400, 250],
        [5, 500, 350],
        [6, 600, 600],
      ] as const),
    );
    expect(steadyRate(seen, 600)).to.equal(100);
  });

  it("is what goes in where a queue drains, and what comes out where it grows", () => {
    const draining = passages([1, 500, 100], [2, 550, 300], [3, 600, 500]);
    expect(steadyRate(draining, 1_000)).to.equal(50);
    const growing = passages([1, 100, 10], [2, 300, 30], [3, 500, 50]);
    expect(steadyRate(growing, 1_000)).to.equal(20);
  });

  it("is none where too few finalities lie between", () => {
    expect(steadyRate(passages([1, 100, 50], [2, 200, 100], [3, 300, 300]), 300)).to.equal(undefined);
    expect(steadyRate([], 300)).to.equal(undefined);
  });
});
