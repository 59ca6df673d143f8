import { expect } from "chai";

import { BOOT_REASONS, judgeBootInfo, statusOf, type BootInfo } from "../../../protocol/policy/bootInfo.ts";
import { EndorsementOp, padded } from "../../../protocol/policy/endorsements.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { advisoryKey } from "../../../protocol/policy/settings.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { AppState } from "../../../protocol/state/types.ts";
import { nameOf, TcbStatus } from "../../../protocol/words/enums.ts";
import type { ComposeHash, PlatformId } from "../../../protocol/words/hex.ts";
import { account, APP, History, word } from "../state/builders.ts";
import { appWith, CREATED, OPEN, setting, without } from "./scene.ts";

const NOW = CREATED + 500;
const DEVICE = word(0xf1) as string as PlatformId;
const BOOT: BootInfo = {
  appId: APP,
  composeHash: word(0x1001) as string as ComposeHash,
  instanceId: account(0x15),
  deviceId: DEVICE,
  mrAggregated: word(1),
  mrSystem: word(2),
  osImageHash: word(6),
  tcbStatus: "UpToDate",
  advisoryIds: [],
};
const { library } = emptyChainState();

const ask = (app: AppState | undefined, change: Partial<BootInfo> = {}, time = NOW) =>
  judgeBootInfo(app, { ...BOOT, ...change }, time, library);
const reasonOf = (...args: Parameters<typeof ask>): string => nameOf(Reason, ask(...args).reason);

describe("judgeBootInfo", () => {
  it("allows with the empty reason that dstack reads", () => {
    expect(ask(appWith(OPEN))).to.deep.equal({ reason: Reason.Allowed, text: "" });
  });

  it("denies an app that no registry knows", () => {
    expect(ask(undefined)).to.deep.equal({ reason: Reason.AppNotRegistered, text: "App not registered" });
  });

  it("denies an app that has not opted in: boot info is weaker than a verdict", () => {
    expect(reasonOf(appWith(without(SettingKind.AcceptBootInfo)))).to.equal("BootInfoNotAccepted");
    const other = [...without(SettingKind.AcceptBootInfo), setting(SettingKind.AcceptBootInfo, 0, 2n)];
    expect(reasonOf(appWith(other))).to.equal("BootInfoNotAccepted");
  });

  const denied: Record<string, readonly [Partial<BootInfo>, string]> = {
    "another app's id": [{ appId: account(0xbad) }, "WrongApp"],
    "a compose hash that no release has": [
      { composeHash: word(0x1002) as string as ComposeHash },
      "ReleaseNotAllowed",
    ],
    "the zero compose hash": [{ composeHash: word(0) as string as ComposeHash }, "ReleaseNotAllowed"],
    "a status that the app does not take": [{ tcbStatus: "OutOfDate" }, "TcbStatusNotAllowed"],
    "another OS image": [{ osImageHash: word(9) }, "OsImageNotAllowed"],
  };
  for (const [what, [change, reason]] of Object.entries(denied)) {
    it(`denies ${what} by ${reason}`, () => expect(reasonOf(appWith(OPEN), change)).to.equal(reason));
  }

  it("denies a device that the app does not list", () => {
    const app = appWith([...without(SettingKind.AnyNode), setting(SettingKind.Node, DEVICE)]);
    expect(reasonOf(app)).to.equal("Allowed");
    expect(reasonOf(app, { deviceId: word(0xf2) as string as PlatformId })).to.equal("NodeNotAllowed");
    expect(reasonOf(appWith(without(SettingKind.AnyNode)))).to.equal("NodeNotAllowed");
  });

  it("lets nobody in by an endorsement of operators, whom boot info does not name", () => {
    const found = emptyChainState().library;
    found.expressions.set(word(0x1d), { op: EndorsementOp.OperatorList, terms: [word(0x115)] });
    found.lists.set(word(0x115), new Set([account(0), BOOT.appId, BOOT.instanceId].map(padded)));
    const app = appWith([...without(SettingKind.AnyNode), setting(SettingKind.Endorsement, 0, 0x1dn)]);
    expect(judgeBootInfo(app, BOOT, NOW, found).reason).to.equal(Reason.NodeNotAllowed);
  });

  it("follows a release from the second of its activation", () => {
    const history = new History();
    const app = appWith(OPEN, history);
    history.propose(2, 1_600, CREATED + 60);
    const hash = { composeHash: word(0x1002) as string as ComposeHash };
    expect([1_599, 1_600].map((time) => reasonOf(app, hash, time))).to.deep.equal([
      "ReleaseNotAllowed",
      "Allowed",
    ]);
  });

  it("asks for each advisory, unknown and empty ones too, until a time without that second", () => {
    const app = appWith([
      ...OPEN,
      setting(SettingKind.TcbStatus, TcbStatus.SWHardeningNeeded),
      setting(SettingKind.Advisory, advisoryKey("INTEL-SA-00001"), 1_600n),
    ]);
    const lagging = { tcbStatus: "SWHardeningNeeded" };
    const accepted = { ...lagging, advisoryIds: ["INTEL-SA-00001"] };
    expect(reasonOf(app, lagging)).to.equal("Allowed");
    expect([1_599, 1_600].map((time) => reasonOf(app, accepted, time))).to.deep.equal([
      "Allowed",
      "AdvisoryNotAllowed",
    ]);
    for (const more of ["INTEL-SA-00002", "intel-sa-00001", ""]) {
      const advisoryIds = ["INTEL-SA-00001", more];
      expect(reasonOf(app, { ...lagging, advisoryIds }), more).to.equal("AdvisoryNotAllowed");
    }
  });
});

describe("statusOf", () => {
  it("reads Intel's names", () => {
    for (const [name, number] of Object.entries(TcbStatus)) expect(statusOf(name), name).to.equal(number);
  });

  it("takes every other text for Unknown, which is denied even where number 0 was accepted", () => {
    const app = appWith([...OPEN, setting(SettingKind.TcbStatus, 0)]);
    for (const text of ["", "Unknown", "uptodate", "UpToDate ", "1", "0", "constructor", "__proto__"]) {
      expect(statusOf(text), text).to.equal(TcbStatus.Unknown);
      expect(reasonOf(app, { tcbStatus: text }), text).to.equal("TcbStatusNotAllowed");
    }
  });
});

describe("the words of a reason", () => {
  it("are empty for Allowed alone: no denial reads like a yes", () => {
    for (const [name, reason] of Object.entries(Reason)) {
      expect(BOOT_REASONS[reason] === "", name).to.equal(reason === Reason.Allowed);
    }
  });
});
