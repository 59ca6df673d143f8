import { expect } from "chai";

import { heapBySessions } from "../../../relayer/leases/sessions/heapBySessions.ts";

describe("what V8 spares", () => {
  it("sessionsComeAndGo_isToldOnceEachWay", () => {
    const told: string[] = [];
    const heap = heapBySessions((flag) => told.push(flag));
    for (const sessions of [1, 999]) heap(sessions);
    expect(told).to.deep.equal([]);
    for (const sessions of [1_000, 1_001, 10_000, 999, 500]) heap(sessions);
    const lean = [
      "--optimize-for-size",
      "--semi-space-growth-factor=1",
      "--no-parallel-scavenge",
      "--heap-growing-percent=25",
    ];
    expect(told).to.deep.equal(lean);
    for (const sessions of [499, 1, 999]) heap(sessions);
    const usual = [
      "--no-optimize-for-size",
      "--semi-space-growth-factor=2",
      "--parallel-scavenge",
      "--heap-growing-percent=0",
    ];
    expect(told).to.deep.equal([...lean, ...usual]);
  });
});
