import { expect } from "chai";

import type { Bytes32 } from "../../../protocol/words/hex.ts";
import type { AcceptedEvidence } from "../../../relayer/store/evidenceRows.ts";
import { RecentEvidence } from "../../../relayer/store/recentEvidence.ts";

const digest = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const evidence = (n: number, characters: number): AcceptedEvidence =>
  ({
    digest: digest(n),
    evidence: { quote: "q".repeat(characters), eventLog: "", vmConfig: "" },
  }) as unknown as AcceptedEvidence;

describe("evidence that was just written", () => {
  it("take_whatWasKept_givesItOnce", () => {
    const recent = new RecentEvidence();
    const one = evidence(1, 10);
    recent.keep(one);
    expect(recent.take(digest(2))).to.equal(undefined);
    expect(recent.take(digest(1))).to.equal(one);
    expect(recent.take(digest(1))).to.equal(undefined);
  });

  it("keep_moreThanItMay_forgetsTheOldestAndNothingElse", () => {
    const recent = new RecentEvidence(100);
    for (let n = 1; n <= 3; n++) recent.keep(evidence(n, 40));
    expect([1, 2, 3].map((n) => recent.take(digest(n)) !== undefined)).to.deep.equal([false, true, true]);
    recent.keep(evidence(4, 101));
    expect(recent.take(digest(4))).to.equal(undefined);
    // What was taken or kept twice takes no room.
    for (let n = 0; n < 5; n++) recent.keep(evidence(5, 60));
    recent.keep(evidence(6, 40));
    expect([5, 6].map((n) => recent.take(digest(n)) !== undefined)).to.deep.equal([true, true]);
  });
});
