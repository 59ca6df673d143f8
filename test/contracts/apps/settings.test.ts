import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { Level, ProofSystem, TcbStatus } from "../../../protocol/words/enums.ts";
import type { App } from "../../../types/typechain/index.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { createApp, word, type Entry } from "../support/flows.ts";
import { MEASUREMENT, OS_IMAGE, PLATFORM } from "../support/verdicts.ts";

const NOTICE = 3600;
const DAY = 86_400;

const notice = (value: number): Entry => ({ kind: SettingKind.Notice, key: ZeroHash, value: BigInt(value) });
const grace = (value: number): Entry => ({ kind: SettingKind.Grace, key: ZeroHash, value: BigInt(value) });
const status = (of: number, value: number): Entry => ({
  kind: SettingKind.TcbStatus,
  key: word(of),
  value: BigInt(value),
});
const proof = (system: number, value: number): Entry => ({
  kind: SettingKind.ProofSystem,
  key: word(system),
  value: BigInt(value),
});
const node = (platform: string, value: number): Entry => ({
  kind: SettingKind.Node,
  key: platform,
  value: BigInt(value),
});

describe("App: settings", () => {
  const load = useCharter(async (charter) => ({
    app: await createApp(charter, { guardian: charter.guardian.address, noticeSeconds: NOTICE }),
  }));
  const clock = (charter: Charter) => charter.connection.networkHelpers.time;
  const valueOf = async (app: App, { kind, key }: Entry) => Number((await app.setting(kind, key)).value);

  it("loosen_waitsTheNotice_thenIsInForceWithoutATransaction", async () => {
    const { charter, app } = await load();
    const entry = status(TcbStatus.OutOfDate, 1);
    const next = (await clock(charter).latest()) + 1;
    await clock(charter).setNextBlockTimestamp(next);
    await expect(app.loosen([entry]))
      .to.emit(app, "SettingChanged")
      .withArgs(entry.kind, entry.key, 0, 1, next + NOTICE, charter.owner);
    expect(await app.setting(entry.kind, entry.key)).to.deep.equal([0n, 1n, BigInt(next + NOTICE)]);
    await clock(charter).increaseTo(next + NOTICE - 1);
    expect(await valueOf(app, entry)).to.equal(0);
    await clock(charter).increaseTo(next + NOTICE);
    expect(await app.setting(entry.kind, entry.key)).to.deep.equal([1n, 0n, 0n]);
  });

  it("tighten_isInForceInTheSameBlock_andDeletesTheWaitingLoosening", async () => {
    const { charter, app } = await load();
    await app.loosen([notice(10)]);
    const next = (await clock(charter).latest()) + 1;
    await clock(charter).setNextBlockTimestamp(next);
    await expect(app.tighten([notice(2 * NOTICE)]))
      .to.emit(app, "SettingChanged")
      .withArgs(SettingKind.Notice, ZeroHash, NOTICE, 2 * NOTICE, next, charter.owner);
    await clock(charter).increase(3 * NOTICE);
    expect(await valueOf(app, notice(0))).to.equal(2 * NOTICE);
  });

  it("loosen_maturedUnsettled_neverUndoesALaterTightening", async () => {
    const { charter, app } = await load();
    const entry = status(TcbStatus.OutOfDate, 1);
    await app.loosen([entry]);
    await clock(charter).increase(NOTICE);
    await app.tighten([{ ...entry, value: 0n }]); // nobody had settled what matured
    expect(await valueOf(app, entry)).to.equal(0);
    await clock(charter).increase(10 * NOTICE);
    await app.tighten([notice(NOTICE + 1)]); // whatever settles now settles nothing old
    expect(await valueOf(app, entry)).to.equal(0);
  });

  it("loosen_again_restartsTheWait", async () => {
    const { charter, app } = await load();
    await app.loosen([grace(700)]);
    await clock(charter).increase(NOTICE - 10);
    await app.loosen([grace(800)]);
    await clock(charter).increase(20);
    expect(await valueOf(app, grace(0))).to.equal(600);
    await clock(charter).increase(NOTICE);
    expect(await valueOf(app, grace(0))).to.equal(800);
  });

  it("loosen_theNoticeItself_waitsTheOldNotice", async () => {
    const { charter, app } = await load();
    await app.loosen([notice(0)]);
    await clock(charter).increase(NOTICE - 2);
    expect((await app.control()).noticeSeconds).to.equal(NOTICE);
    await clock(charter).increase(2);
    expect((await app.control()).noticeSeconds).to.equal(0);
    await app.loosen([status(TcbStatus.OutOfDate, 1)]);
    expect(await valueOf(app, status(TcbStatus.OutOfDate, 1))).to.equal(1);
  });

  it("change_inTheWrongDirection_reverts", async () => {
    const { app } = await load();
    const tightenings = [
      notice(NOTICE + 1),
      grace(599),
      status(TcbStatus.UpToDate, 0),
      proof(ProofSystem.Direct, 1),
      node(PLATFORM, 0),
      { kind: SettingKind.OsImage, key: OS_IMAGE, value: 0n },
      { kind: SettingKind.GpuRequired, key: ZeroHash, value: 1n },
      { kind: SettingKind.RebuildsRequired, key: ZeroHash, value: 1n },
      { kind: SettingKind.MaxEvidenceAge, key: ZeroHash, value: 99n },
    ];
    for (const entry of tightenings) {
      await expect(app.loosen([entry]), `loosen ${entry.kind}`).to.be.revertedWithCustomError(
        app,
        "NotALoosening",
      );
    }
    const loosenings = [
      notice(NOTICE - 1),
      grace(601),
      status(TcbStatus.OutOfDate, 1),
      proof(ProofSystem.Committee, 0),
      node(id("other"), 1),
      // Another digest for an image that is allowed lets other measurements in.
      { kind: SettingKind.OsImage, key: OS_IMAGE, value: BigInt(id("other digest")) },
      { kind: SettingKind.AnyNode, key: ZeroHash, value: 1n },
      { kind: SettingKind.AcceptBootInfo, key: ZeroHash, value: 1n },
      { kind: SettingKind.TcbStatusUntil, key: word(TcbStatus.OutOfDate), value: 4_000_000_000n },
      { kind: SettingKind.Advisory, key: id("INTEL-SA-00001"), value: 4_000_000_000n },
      { kind: SettingKind.Endorsement, key: ZeroHash, value: 7n },
      { kind: SettingKind.ReviewSeconds, key: ZeroHash, value: 60n },
    ];
    for (const entry of loosenings) {
      await expect(app.tighten([entry]), `tighten ${entry.kind}`).to.be.revertedWithCustomError(
        app,
        "NotATightening",
      );
    }
    for (const unchanged of [
      notice(NOTICE),
      { kind: SettingKind.OsImage, key: OS_IMAGE, value: BigInt(MEASUREMENT) },
    ]) {
      await expect(app.tighten([unchanged])).to.be.revertedWithCustomError(app, "NotATightening");
      await expect(app.loosen([unchanged])).to.be.revertedWithCustomError(app, "NotALoosening");
    }
  });

  it("change_oneOfSeveralInTheWrongDirection_changesNothing", async () => {
    const { app } = await load();
    await expect(
      app.tighten([status(TcbStatus.UpToDate, 0), status(TcbStatus.OutOfDate, 1)]),
    ).to.be.revertedWithCustomError(app, "NotATightening");
    expect(await valueOf(app, status(TcbStatus.UpToDate, 0))).to.equal(1);
  });

  it("change_byGuardianOrStranger_reverts", async () => {
    const { charter, app } = await load();
    for (const other of [charter.guardian, charter.stranger]) {
      await expect(app.connect(other).tighten([notice(NOTICE + 1)])).to.be.revertedWithCustomError(
        app,
        "NotOwner",
      );
      await expect(app.connect(other).loosen([notice(1)])).to.be.revertedWithCustomError(app, "NotOwner");
    }
  });

  it("proofSystems_droppedOneByOne_neverBecomeNone", async () => {
    const { charter, app } = await load();
    await expect(app.loosen([proof(ProofSystem.Committee, 0)])).to.be.revertedWithCustomError(
      app,
      "NoProofSystemLeft",
    );
    await app.tighten([proof(ProofSystem.Direct, 1)]);
    await app.loosen([proof(ProofSystem.Direct, 0)]);
    // Both drops would be allowed alone; together they would leave nothing.
    await expect(app.loosen([proof(ProofSystem.Committee, 0)])).to.be.revertedWithCustomError(
      app,
      "NoProofSystemLeft",
    );
    await clock(charter).increase(NOTICE);
    await expect(app.loosen([proof(ProofSystem.Committee, 0)])).to.be.revertedWithCustomError(
      app,
      "NoProofSystemLeft",
    );
  });

  it("notice_beyondAYearOrGraceBeyondAMonth_reverts_soThatNothingBricksTheApp", async () => {
    const { app } = await load();
    await expect(app.tighten([notice(365 * DAY + 1)]))
      .to.be.revertedWithCustomError(app, "NoticeTooLong")
      .withArgs(365 * DAY, 365 * DAY + 1);
    await expect(app.tighten([{ ...notice(0), value: 2n ** 255n }])).to.be.revertedWithCustomError(
      app,
      "NoticeTooLong",
    );
    await expect(app.loosen([grace(30 * DAY + 1)])).to.be.revertedWithCustomError(app, "GraceTooLong");
    await app.tighten([notice(365 * DAY)]);
  });

  it("cancelLoosening_byOwnerOrGuardian_emitsAndKeepsTheOldValue", async () => {
    const { charter, app } = await load();
    const entry = status(TcbStatus.OutOfDate, 1);
    for (const who of [charter.owner, charter.guardian]) {
      await app.loosen([entry]);
      const [, , effectiveAt] = await app.setting(entry.kind, entry.key);
      await expect(app.connect(who).cancelLoosening(entry.kind, entry.key))
        .to.emit(app, "LooseningCancelled")
        .withArgs(entry.kind, entry.key, 1, effectiveAt, who);
      await clock(charter).increase(NOTICE);
      expect(await valueOf(app, entry)).to.equal(0);
    }
  });

  it("cancelLoosening_ofNothingOrOfWhatIsInForce_reverts", async () => {
    const { charter, app } = await load();
    const entry = status(TcbStatus.OutOfDate, 1);
    const cancel = () => app.connect(charter.guardian).cancelLoosening(entry.kind, entry.key);
    await expect(cancel())
      .to.be.revertedWithCustomError(app, "NothingPending")
      .withArgs(entry.kind, entry.key);
    await app.loosen([entry]);
    await clock(charter).increase(NOTICE);
    await expect(cancel()).to.be.revertedWithCustomError(app, "NothingPending");
    await expect(
      app.connect(charter.stranger).cancelLoosening(entry.kind, entry.key),
    ).to.be.revertedWithCustomError(app, "NotOwnerOrGuardian");
  });

  it("loosen_seventeenAtATime_reverts", async () => {
    const { app } = await load();
    const nodes = Array.from({ length: 17 }, (_, index) => node(id(`node ${index}`), 1));
    await app.loosen(nodes.slice(0, 16));
    await expect(app.loosen(nodes.slice(16)))
      .to.be.revertedWithCustomError(app, "TooManyPending")
      .withArgs(16);
    await app.loosen(nodes.slice(3, 4)); // asking again for one that waits takes no more room
  });

  it("loosen_seventeenAfterSixteenMatured_hasRoomAgain", async () => {
    const { charter, app } = await load();
    const nodes = Array.from({ length: 17 }, (_, index) => node(id(`node ${index}`), 1));
    await app.loosen(nodes.slice(0, 16));
    await clock(charter).increase(NOTICE);
    await app.loosen(nodes.slice(16));
    for (const entry of nodes.slice(0, 16)) expect(await valueOf(app, entry)).to.equal(1);
  });

  it("change_ofAnUnknownKindOrKey_reverts", async () => {
    const { app } = await load();
    for (const wrong of [
      { kind: SettingKind.None, key: ZeroHash, value: 1n },
      status(TcbStatus.Revoked, 1),
      status(0, 1),
      node(ZeroHash, 1),
      { ...notice(5), key: word(1) },
    ]) {
      await expect(app.loosen([wrong])).to.be.revertedWithCustomError(app, "UnknownSetting");
      await expect(app.tighten([wrong])).to.be.revertedWithCustomError(app, "UnknownSetting");
    }
  });

  it("notice_belowTheFloorOfNoticed_reverts", async () => {
    const { app } = await load();
    await app.raiseLevel(Level.Noticed);
    await expect(app.loosen([notice(NOTICE - 1)]))
      .to.be.revertedWithCustomError(app, "NoticeBelowFloor")
      .withArgs(NOTICE, NOTICE - 1);
    await app.tighten([notice(2 * NOTICE)]);
    await app.loosen([notice(NOTICE)]);
  });
});
