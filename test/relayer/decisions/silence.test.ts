import { expect } from "chai";

import { silentNodes } from "../../../relayer/decisions/silence.ts";

describe("silence", () => {
  const rule = { silentSeconds: 60, listeningSince: 1_000 };
  const silent = (now: number, heard: { lastAt: number; steadySince: number } | null) =>
    silentNodes([7], heard === null ? [] : [{ node: 7, ...heard }], now, rule).has(7);

  it("agent_quietForLonger_isSilent", () => {
    expect(silent(1_260, { lastAt: 1_200, steadySince: 0 })).to.equal(false);
    expect(silent(1_261, { lastAt: 1_200, steadySince: 0 })).to.equal(true);
  });

  it("beforeWeListened_nothingIsSilence", () => {
    expect(silent(1_060, null)).to.equal(false);
    expect(silent(1_060, { lastAt: 10, steadySince: 0 })).to.equal(false);
    expect(silent(1_061, null)).to.equal(true);
  });

  it("agentThatReturns_countsOnceItWasSteadyForAsLong", () => {
    expect(silent(1_400, { lastAt: 1_400, steadySince: 1_390 })).to.equal(true);
    expect(silent(1_450, { lastAt: 1_450, steadySince: 1_390 })).to.equal(true);
    expect(silent(1_451, { lastAt: 1_451, steadySince: 1_390 })).to.equal(false);
  });

  it("gapWhileNobodyListened_isNoSilence", () => {
    expect(silent(1_010, { lastAt: 1_010, steadySince: 1_005 })).to.equal(false);
  });
});
