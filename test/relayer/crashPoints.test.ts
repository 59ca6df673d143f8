import { expect } from "chai";

import {
  armCrash,
  CRASH_POINTS,
  crashPoint,
  disarmCrash,
  parseCrashPlan,
} from "../../relayer/crashPoints.ts";
import { refusal } from "../support/refusal.ts";

describe("crash points", () => {
  afterEach(() => disarmCrash());

  it("armCrash_chainOfNoDevelopment_refuses", async () => {
    const arm = async (chainId: number) => armCrash({ point: "outbox.sent", passage: 1 }, chainId);
    for (const chainId of [1, 11_155_111, 8_453]) {
      expect(await refusal(arm(chainId))).to.equal("config/crash-refused");
    }
    crashPoint("outbox.sent"); // Nothing was armed: this process goes on.
  });

  it("crashPoint_plannedPassage_endsAtThatPointAndPassageOnly", () => {
    const passed: string[] = [];
    armCrash({ point: "outbox.sent", passage: 2 }, 31_337, () => passed.push("ended"));
    for (const point of [
      "outbox.sent",
      "outbox.final",
      "outbox.final",
      "outbox.sent",
      "outbox.sent",
    ] as const) {
      passed.push(point);
      crashPoint(point);
    }
    expect(passed).to.deep.equal([
      "outbox.sent",
      "outbox.final",
      "outbox.final",
      "outbox.sent",
      "ended",
      "outbox.sent",
    ]);
  });

  it("parseCrashPlan_everyPoint_isReadAndNothingElse", () => {
    for (const point of CRASH_POINTS) {
      expect(parseCrashPlan(`${point}:7`)).to.deep.equal({ point, passage: 7 });
    }
    for (const text of [
      "outbox.sent",
      "outbox.sent:0",
      "outbox.sent:-1",
      "outbox.lost:1",
      "outbox.sent:1:2",
      "",
    ]) {
      expect(parseCrashPlan(text)).to.equal(null);
    }
  });
});
