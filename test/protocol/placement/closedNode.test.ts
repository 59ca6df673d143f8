import { expect } from "chai";

import { closedBy } from "../../../protocol/placement/closedNode.ts";
import type { NodeReport } from "../../../protocol/session/nodeReport.ts";
import { APP, account } from "../state/builders.ts";

const report = (changes: Partial<NodeReport> = {}, maxGuests: number | null = 3): NodeReport => ({
  capacity: { cpus: 8, memoryMb: 16_000, diskMb: 1_000, diskFreeMb: 500, maxGuests },
  guests: 0,
  apps: [],
  tees: [],
  gpus: [],
  trouble: [],
  ...changes,
});
const trouble = (code: string, isBlocking: boolean) => ({ code, note: "", isBlocking });

describe("a node that takes on nothing new", () => {
  it("isFull_withAsManySlotsAsItTakes_andKeepsThem", () => {
    const other = account(0xa991);
    expect(closedBy(report({ apps: [APP, other] }))).to.equal(null);
    const closed = closedBy(report({ apps: [APP, other, APP] }));
    expect(closed?.reason).to.equal("full");
    expect([...(closed?.keeps ?? [])]).to.deep.equal([
      [APP, 2],
      [other, 1],
    ]);
    expect(closedBy(report({ apps: [APP, APP, APP, APP] }, null))).to.equal(null);
  });

  it("isInTrouble_byWhatBlocks_andNotByWhatIsOnlyToCome", () => {
    expect(closedBy(report({ trouble: [trouble("collateral-ending", false)] }))).to.equal(null);
    const blocked = report({ trouble: [trouble("gpu-silent", false), trouble("engine-silent", true)] });
    expect(closedBy(blocked)?.reason).to.equal("engine-silent");
  });

  it("isNotClosed_beforeItKnowsWhatItHasToRun", () => {
    expect(closedBy(report({ apps: null, trouble: [trouble("engine-silent", true)] }))).to.equal(null);
  });
});
