import { expect } from "chai";

import { DEVELOPMENT_CHAIN_IDS, judge, type Facts } from "../../../protocol/policy/judge.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { advisoryKey, ZERO_KEY } from "../../../protocol/policy/settings.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { AppState, Library } from "../../../protocol/state/types.ts";
import { nameOf, TcbStatus, type TeeKind } from "../../../protocol/words/enums.ts";
import type { PlatformId } from "../../../protocol/words/hex.ts";
import { account, word } from "../state/builders.ts";
import { appWith, CREATED, OPEN, setting, without, type Setting } from "./scene.ts";

const NOW = CREATED + 500;
const PLATFORM = word(0xf001) as string as PlatformId;
const ADVISORIES = ["INTEL-SA-00001", "INTEL-SA-00002"];
const SET = word(0xad);

/** What the open policy allows. */
const FACTS: Facts = {
  release: 1,
  platformId: PLATFORM,
  operator: account(0xe1),
  osImageHash: word(6),
  measurementDigest: word(7),
  pinnedMeasurementDigest: word(8),
  kind: 1,
  status: TcbStatus.UpToDate,
  advisoriesDigest: ZERO_KEY,
  gpu: false,
  proofSystems: 0b100,
  simulated: false,
};
const LIBRARY: Library = {
  ...emptyChainState().library,
  advisorySets: new Map([[SET, ADVISORIES.map(advisoryKey)]]),
};

const reasonOf = (app: AppState, facts: Partial<Facts> = {}, time = NOW, chainId = 1): string =>
  nameOf(Reason, judge(app, { ...FACTS, ...facts }, { time, chainId, library: LIBRARY }));
const withThese = (settings: readonly Setting[], facts: Partial<Facts> = {}, time = NOW): string =>
  reasonOf(appWith(settings), facts, time);

describe("judge", () => {
  it("allows what the policy allows", () => {
    expect(withThese(OPEN)).to.equal("Allowed");
  });

  describe("an app that lists nothing of a kind", () => {
    for (const [kind, reason] of [
      [SettingKind.TeeKind, "TeeKindNotAllowed"],
      [SettingKind.TcbStatus, "TcbStatusNotAllowed"],
      [SettingKind.OsImage, "OsImageNotAllowed"],
      [SettingKind.AnyNode, "NodeNotAllowed"],
      [SettingKind.ProofSystem, "ProofMissing"],
    ] as const) {
      it(`denies by ${reason} without ${nameOf(SettingKind, kind)}`, () => {
        expect(withThese(without(kind))).to.equal(reason);
      });
    }

    it("denies everything with no settings at all, and with no release", () => {
      expect(withThese([])).not.to.equal("Allowed");
      const app = appWith(OPEN);
      app.releases.splice(0);
      expect(reasonOf(app)).to.equal("ReleaseNotAllowed");
    });
  });

  it("gives the reason that the contract comes to first", () => {
    const wrong: Facts = {
      ...FACTS,
      simulated: true,
      release: 2,
      kind: 2,
      status: TcbStatus.OutOfDate,
      advisoriesDigest: word(0xbad),
      osImageHash: word(9),
      proofSystems: 0,
    };
    const settings = [...without(SettingKind.AnyNode), setting(SettingKind.GpuRequired)];
    const app = appWith([...settings, setting(SettingKind.TcbStatusUntil, 2, 9_999n)]);
    const mended: [string, Partial<Facts>][] = [
      ["SimulatedNotAllowed", { simulated: false }],
      ["ReleaseNotAllowed", { release: 1 }],
      ["TeeKindNotAllowed", { kind: 1 }],
      ["TcbStatusNotAllowed", { status: TcbStatus.SWHardeningNeeded }],
      ["AdvisoryNotAllowed", { advisoriesDigest: ZERO_KEY }],
      ["OsImageNotAllowed", { osImageHash: word(6) }],
    ];
    let facts = wrong;
    for (const [reason, mend] of mended) {
      expect(reasonOf(app, facts)).to.equal(reason);
      facts = { ...facts, ...mend };
    }
    expect(reasonOf(app, facts)).to.equal("NodeNotAllowed");
    const on = (kind: SettingKind) => app.settings.set(`${kind}:${ZERO_KEY}`, { value: 1n });
    on(SettingKind.AnyNode);
    expect(reasonOf(app, facts)).to.equal("GpuMissing");
    expect(reasonOf(app, { ...facts, gpu: true })).to.equal("ProofMissing");
  });

  it("takes simulated evidence on the development chains only", () => {
    const app = appWith(OPEN);
    expect(DEVELOPMENT_CHAIN_IDS).to.deep.equal([1337, 31337]);
    for (const chainId of DEVELOPMENT_CHAIN_IDS) {
      expect(reasonOf(app, { simulated: true }, NOW, chainId)).to.equal("Allowed");
    }
    for (const chainId of [0, 1, 11_155_111, 31_338]) {
      expect(reasonOf(app, { simulated: true }, NOW, chainId)).to.equal("SimulatedNotAllowed");
    }
  });

  it("denies an unknown TEE kind, even where somebody listed number 0", () => {
    const app = appWith([...OPEN, setting(SettingKind.TeeKind, 0)]);
    for (const kind of [0, 2, 3, 4, 255]) {
      expect(reasonOf(app, { kind: kind as TeeKind }), String(kind)).to.equal("TeeKindNotAllowed");
    }
  });

  describe("TCB status", () => {
    it("is denied when unknown, even where somebody accepted number 0, and for numbers that none has", () => {
      const app = appWith([
        ...OPEN,
        setting(SettingKind.TcbStatus, 0),
        setting(SettingKind.TcbStatusUntil, 0, 9_999n),
      ]);
      for (const status of [TcbStatus.Unknown, 8, 255]) {
        expect(reasonOf(app, { status: status as TcbStatus }), String(status)).to.equal(
          "TcbStatusNotAllowed",
        );
      }
    });

    it("is accepted until a time, without that second", () => {
      const app = appWith([...OPEN, setting(SettingKind.TcbStatusUntil, TcbStatus.OutOfDate, 1_600n)]);
      const at = (time: number) => reasonOf(app, { status: TcbStatus.OutOfDate }, time);
      expect([1_599, 1_600, 1_601].map(at)).to.deep.equal([
        "Allowed",
        "TcbStatusNotAllowed",
        "TcbStatusNotAllowed",
      ]);
    });

    it("is on by 1 alone: another value is no yes", () => {
      const app = appWith([...OPEN, setting(SettingKind.TcbStatus, TcbStatus.OutOfDate, 2n)]);
      expect(reasonOf(app, { status: TcbStatus.OutOfDate })).to.equal("TcbStatusNotAllowed");
    });
  });

  describe("advisories", () => {
    const accepting = (...accepted: [string, bigint][]) =>
      appWith([
        ...OPEN,
        setting(SettingKind.TcbStatus, TcbStatus.SWHardeningNeeded),
        ...accepted.map(([id, until]) => setting(SettingKind.Advisory, advisoryKey(id), until)),
      ]);
    const facts = { status: TcbStatus.SWHardeningNeeded, advisoriesDigest: SET };
    const [first, second] = ADVISORIES as [string, string];

    it("are each to be accepted, until a time without that second", () => {
      const app = accepting([first, 1_600n], [second, 9_999n]);
      expect([1_599, 1_600].map((time) => reasonOf(app, facts, time))).to.deep.equal([
        "Allowed",
        "AdvisoryNotAllowed",
      ]);
      expect(reasonOf(accepting([first, 9_999n]), facts)).to.equal("AdvisoryNotAllowed");
      expect(reasonOf(accepting(), facts)).to.equal("AdvisoryNotAllowed");
    });

    it("that nobody published deny, whatever is accepted", () => {
      const app = accepting([first, 9_999n], [second, 9_999n]);
      expect(reasonOf(app, { ...facts, advisoriesDigest: word(0xbad) })).to.equal("AdvisoryNotAllowed");
    });

    it("may accompany UpToDate, and are not asked for where there are none", () => {
      expect(reasonOf(accepting(), { ...facts, status: TcbStatus.UpToDate })).to.equal("Allowed");
      expect(reasonOf(accepting(), { ...facts, advisoriesDigest: ZERO_KEY })).to.equal("Allowed");
    });
  });

  it("takes an image by either digest, and none by digest zero", () => {
    const app = appWith(OPEN);
    expect(reasonOf(app, { measurementDigest: word(9), pinnedMeasurementDigest: word(7) })).to.equal(
      "Allowed",
    );
    expect(reasonOf(app, { measurementDigest: word(9) })).to.equal("OsImageNotAllowed");
    const removed = appWith([...OPEN, setting(SettingKind.OsImage, 6, 0n)]);
    expect(reasonOf(removed, { measurementDigest: ZERO_KEY, pinnedMeasurementDigest: ZERO_KEY })).to.equal(
      "OsImageNotAllowed",
    );
  });

  it("takes listed nodes alone where not any node may run it, and never platform zero", () => {
    const app = appWith([
      ...without(SettingKind.AnyNode),
      setting(SettingKind.Node, PLATFORM),
      setting(SettingKind.Node, 0),
    ]);
    expect(reasonOf(app)).to.equal("Allowed");
    for (const other of [word(0xf002), ZERO_KEY]) {
      expect(reasonOf(app, { platformId: other as string as PlatformId })).to.equal("NodeNotAllowed");
    }
  });

  it("asks for every proof system that is required, not for one of them", () => {
    const app = appWith([...OPEN, setting(SettingKind.ProofSystem, 3)]);
    const reasons = [0, 0b100, 0b1000, 0b10, 0b1100, 0b1110].map((proofSystems) =>
      reasonOf(app, { proofSystems }),
    );
    expect(reasons).to.deep.equal([...Array<string>(4).fill("ProofMissing"), "Allowed", "Allowed"]);
  });

  it("counts a pending loosening from its exact second on", () => {
    const app = appWith(OPEN);
    app.settings.set(`${SettingKind.TcbStatus}:${word(5)}`, {
      value: 0n,
      pending: { value: 1n, effectiveAt: 1_600 },
    });
    const at = (time: number) => reasonOf(app, { status: TcbStatus.OutOfDate }, time);
    expect([1_599, 1_600].map(at)).to.deep.equal(["TcbStatusNotAllowed", "Allowed"]);
  });
});
