import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import { Level, TcbStatus } from "../../../protocol/words/enums.ts";
import type { App } from "../../../types/typechain/index.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { createApp, word } from "../support/flows.ts";
import { PLATFORM } from "../support/verdicts.ts";

const NOTICE = 3600;
const [V2, NOTE] = [id("v2"), id("note")];
const looser = { kind: SettingKind.TcbStatus, key: word(TcbStatus.OutOfDate), value: 1n };
const tighter = { kind: SettingKind.Notice, key: ZeroHash, value: 2n * BigInt(NOTICE) };
const SELECTOR = { teeKinds: 0, gpu: false, operators: [] };

/** What each level must still allow; everything else it must refuse with LevelForbids. */
const STILL_ALLOWED: Readonly<Record<string, readonly string[]>> = {
  Open: [
    "propose",
    "loosen",
    "tighten",
    "setGuardian",
    "cancelLoosening",
    "transferOwnership",
    "setReplicas",
    "revoke",
  ],
  Noticed: [
    "propose",
    "loosen",
    "tighten",
    "setGuardian",
    "cancelLoosening",
    "transferOwnership",
    "setReplicas",
    "revoke",
  ],
  Sealed: ["propose", "tighten", "cancelLoosening", "transferOwnership", "setReplicas", "revoke"],
  RevokeOnly: ["tighten", "cancelLoosening", "revoke"],
  Frozen: [],
};

describe("App: control", () => {
  const load = useCharter(async (charter) => ({
    app: await createApp(charter, { guardian: charter.guardian.address, noticeSeconds: NOTICE }),
    bare: await createApp(charter, { salt: id("bare"), noticeSeconds: NOTICE }),
  }));
  const clock = (charter: Charter) => charter.connection.networkHelpers.time;

  describe("levels", () => {
    const actions = (app: App, charter: Charter): Record<string, () => Promise<unknown>> => ({
      propose: () => app.propose(V2, NOTE, 1, 0),
      loosen: () => app.loosen([looser]),
      tighten: () => app.tighten([tighter]),
      setGuardian: () => app.setGuardian(charter.stranger),
      cancelLoosening: () => app.cancelLoosening(looser.kind, looser.key),
      transferOwnership: () => app.transferOwnership(charter.stranger),
      setReplicas: () => app.setReplicas(1, SELECTOR),
      revoke: () => app.revoke(1),
    });

    for (const [name, allowed] of Object.entries(STILL_ALLOWED)) {
      for (const action of Object.keys(actions({} as App, {} as Charter))) {
        const may = allowed.includes(action);
        it(`${action}_at${name}_${may ? "takesEffect" : "reverts"}`, async () => {
          const { charter, app } = await load();
          const level = Level[name as keyof typeof Level];
          if (level !== Level.Open) await app.raiseLevel(level);
          const act = actions(app, charter)[action] as () => Promise<unknown>;
          // Nothing waits, so cancelling finds nothing: that the level lets it look is what is in question.
          if (may && action === "cancelLoosening") {
            await expect(act()).to.be.revertedWithCustomError(app, "NothingPending");
          } else if (may) await act();
          else {
            await expect(act())
              .to.be.revertedWithCustomError(app, "LevelForbids")
              .withArgs(level, app.interface.getFunction(action as "propose").selector);
          }
        });
      }
    }

    it("raiseLevel_emitsAndKeepsTheNoticeOfEntryAsFloor", async () => {
      const { charter, app } = await load();
      await expect(app.raiseLevel(Level.Noticed))
        .to.emit(app, "LevelRaised")
        .withArgs(Level.Open, Level.Noticed, NOTICE, charter.owner);
      await app.tighten([tighter]);
      await expect(app.raiseLevel(Level.Sealed))
        .to.emit(app, "LevelRaised")
        .withArgs(Level.Noticed, Level.Sealed, NOTICE, charter.owner);
    });

    it("raiseLevel_downOrToTheSame_reverts", async () => {
      const { app } = await load();
      await app.raiseLevel(Level.Sealed);
      for (const level of [Level.Open, Level.Noticed, Level.Sealed]) {
        await expect(app.raiseLevel(level))
          .to.be.revertedWithCustomError(app, "LevelNotRaised")
          .withArgs(Level.Sealed, level);
      }
    });

    it("raiseLevel_byGuardianOrStranger_reverts", async () => {
      const { charter, app } = await load();
      for (const other of [charter.guardian, charter.stranger]) {
        await expect(app.connect(other).raiseLevel(Level.Noticed)).to.be.revertedWithCustomError(
          app,
          "NotOwner",
        );
      }
    });

    it("raiseLevel_withoutNotice_reverts", async () => {
      const { charter } = await load();
      const app = await createApp(charter, { noticeSeconds: 0, salt: id("no notice") });
      await expect(app.raiseLevel(Level.Noticed))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Noticed, "notice is zero");
    });

    it("raiseLevel_whileNoticeIsBeingLowered_reverts", async () => {
      const { charter, app } = await load();
      await app.loosen([{ ...tighter, value: 1n }]);
      await expect(app.raiseLevel(Level.Noticed))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Noticed, "a lowering of notice is pending");
      await clock(charter).increase(NOTICE);
      await app.raiseLevel(Level.Noticed);
      expect((await app.control()).noticeFloorSeconds).to.equal(1n);
    });

    it("raiseLevel_toSealedWhileALooseningWaits_reverts", async () => {
      const { app } = await load();
      await app.loosen([looser]);
      await app.raiseLevel(Level.Noticed);
      await expect(app.raiseLevel(Level.Sealed))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Sealed, "a loosening is pending");
    });

    it("raiseLevel_toSealedWhileTheGuardianIsBeingReplaced_reverts", async () => {
      const { charter, app } = await load();
      await app.setGuardian(charter.stranger);
      await expect(app.raiseLevel(Level.Sealed))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Sealed, "a guardian change is pending");
    });

    it("raiseLevel_toRevokeOnlyOrFrozenWhileAReleasePends_reverts", async () => {
      const { app } = await load();
      await app.propose(V2, NOTE, 1, 0);
      for (const level of [Level.RevokeOnly, Level.Frozen]) {
        await expect(app.raiseLevel(level))
          .to.be.revertedWithCustomError(app, "LevelBlocked")
          .withArgs(level, "a release is pending");
      }
    });

    it("raiseLevel_toRevokeOnlyWhileOwnershipMoves_reverts", async () => {
      const { charter, app } = await load();
      await app.transferOwnership(charter.stranger);
      await expect(app.raiseLevel(Level.RevokeOnly))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.RevokeOnly, "an ownership transfer is pending");
    });

    it("raiseLevel_toFrozenWithAReleaseInGrace_reverts", async () => {
      const { charter, app } = await load();
      await app.propose(V2, NOTE, 1, 600);
      await clock(charter).increase(NOTICE);
      await expect(app.raiseLevel(Level.Frozen))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Frozen, "a release is in grace");
      await clock(charter).increase(600);
      await app.raiseLevel(Level.Frozen);
    });

    it("raiseLevel_toFrozenWithoutARelease_reverts", async () => {
      const { app } = await load();
      await app.revoke(1);
      await expect(app.raiseLevel(Level.Frozen))
        .to.be.revertedWithCustomError(app, "LevelBlocked")
        .withArgs(Level.Frozen, "no release is active");
    });
  });

  describe("guardian", () => {
    it("setGuardian_whereThereIsNone_isImmediate", async () => {
      const { charter, bare } = await load();
      const next = (await clock(charter).latest()) + 1;
      await clock(charter).setNextBlockTimestamp(next);
      await expect(bare.setGuardian(charter.guardian))
        .to.emit(bare, "GuardianChanged")
        .withArgs(ZeroAddress, charter.guardian, next, charter.owner);
      await bare.connect(charter.guardian).revoke(1);
    });

    it("setGuardian_replacing_waitsTheNotice_andTheOldOneCannotStopIt", async () => {
      const { charter, app } = await load();
      await app.setGuardian(charter.stranger);
      await expect(app.connect(charter.guardian).cancelGuardianChange()).to.be.revertedWithCustomError(
        app,
        "NotOwner",
      );
      const { guardian, pendingGuardian } = await app.control();
      expect([guardian, pendingGuardian]).to.deep.equal([charter.guardian.address, charter.stranger.address]);
      await clock(charter).increase(NOTICE);
      expect((await app.control()).guardian).to.equal(charter.stranger.address);
      await expect(app.connect(charter.guardian).revoke(1)).to.be.revertedWithCustomError(
        app,
        "NotOwnerOrGuardian",
      );
      await app.connect(charter.stranger).revoke(1);
    });

    it("setGuardian_removing_waitsTheNotice_thenNobodyGuards", async () => {
      const { charter, app } = await load();
      await app.setGuardian(ZeroAddress);
      expect((await app.control()).guardian).to.equal(charter.guardian.address);
      await clock(charter).increase(NOTICE);
      expect((await app.control()).guardian).to.equal(ZeroAddress);
      await expect(app.connect(charter.guardian).revoke(1)).to.be.revertedWithCustomError(
        app,
        "NotOwnerOrGuardian",
      );
    });

    it("setGuardian_afterAMaturedRemoval_isImmediateAgain", async () => {
      const { charter, app } = await load();
      await app.setGuardian(ZeroAddress);
      await clock(charter).increase(NOTICE);
      await app.setGuardian(charter.stranger);
      expect((await app.control()).guardian).to.equal(charter.stranger.address);
    });

    it("cancelGuardianChange_byOwner_keepsTheGuardian", async () => {
      const { charter, app } = await load();
      await app.setGuardian(charter.stranger);
      await expect(app.cancelGuardianChange())
        .to.emit(app, "GuardianChangeCancelled")
        .withArgs(charter.guardian, charter.stranger, charter.owner);
      await clock(charter).increase(NOTICE);
      expect((await app.control()).guardian).to.equal(charter.guardian.address);
      await expect(app.cancelGuardianChange()).to.be.revertedWithCustomError(app, "NoGuardianChangePending");
    });

    it("setGuardian_toTheSame_reverts", async () => {
      const { charter, app } = await load();
      await expect(app.setGuardian(charter.guardian)).to.be.revertedWithCustomError(app, "GuardianUnchanged");
    });

    it("setGuardian_atSealedWhereThereIsNone_addsOne_butNeverReplaces", async () => {
      const { charter, bare } = await load();
      await bare.raiseLevel(Level.Sealed);
      await bare.setGuardian(charter.guardian);
      await expect(bare.setGuardian(charter.stranger)).to.be.revertedWithCustomError(bare, "LevelForbids");
    });
  });

  describe("ownership", () => {
    it("transfer_isTwoSteps", async () => {
      const { charter, app } = await load();
      await expect(app.transferOwnership(charter.stranger))
        .to.emit(app, "OwnershipTransferStarted")
        .withArgs(charter.owner, charter.stranger, charter.owner);
      expect(await app.owner()).to.equal(charter.owner.address);
      await expect(app.connect(charter.operator).acceptOwnership())
        .to.be.revertedWithCustomError(app, "NotPendingOwner")
        .withArgs(charter.stranger, charter.operator);
      await expect(app.connect(charter.stranger).acceptOwnership())
        .to.emit(app, "OwnershipTransferred")
        .withArgs(charter.owner, charter.stranger, charter.stranger);
      await expect(app.setReplicas(1, SELECTOR)).to.be.revertedWithCustomError(app, "NotOwner");
      await app.connect(charter.stranger).setReplicas(1, SELECTOR);
      expect((await app.control()).pendingOwner).to.equal(ZeroAddress);
    });

    it("transfer_toZero_takesItBack", async () => {
      const { charter, app } = await load();
      await app.transferOwnership(charter.stranger);
      await app.transferOwnership(ZeroAddress);
      await expect(app.connect(charter.stranger).acceptOwnership()).to.be.revertedWithCustomError(
        app,
        "NotPendingOwner",
      );
    });

    it("setReplicas_byOwner_emitsOldAndNew", async () => {
      const { charter, app } = await load();
      await app.setReplicas(2, SELECTOR);
      const selector = { teeKinds: 2, gpu: true, operators: [charter.operator.address] };
      await expect(app.setReplicas(5, selector))
        .to.emit(app, "ReplicasChanged")
        .withArgs(2, 5, [2n, true, [charter.operator.address]], charter.owner);
      expect((await app.replicas()).replicas_).to.equal(5n);
    });
  });

  describe("control()", () => {
    it("control_ofOwners_saysWhatCodeTheyHave", async () => {
      const { charter, app } = await load();
      const { provider } = charter.connection;
      expect((await app.control()).ownerCode).to.equal(0n);
      const setCode = (code: string) =>
        provider.request({ method: "hardhat_setCode", params: [charter.owner.address, code] });
      await setCode(`0xef0100${charter.stranger.address.slice(2)}`);
      expect((await app.control()).ownerCode).to.equal(1n);
      // As long as a delegation, but none.
      await setCode(`0xef0200${charter.stranger.address.slice(2)}`);
      expect((await app.control()).ownerCode).to.equal(2n);
      await setCode("0x");
    });

    it("earliestNewReleaseAt_isNowPlusNotice_orThePendingRelease_orAfterALowering", async () => {
      const { charter, app } = await load();
      const now = await clock(charter).latest();
      const earliest = async () => Number((await app.control()).earliestNewReleaseAt);
      expect(await earliest()).to.be.within(now + NOTICE, now + NOTICE + 1);
      await app.loosen([{ ...tighter, value: 10n }]);
      const lowered = Number((await app.setting(SettingKind.Notice, ZeroHash)).effectiveAt);
      await clock(charter).increaseTo(lowered - 20);
      expect(await earliest()).to.equal(lowered + 10);
      await app.propose(V2, NOTE, 1, 0);
      expect(await earliest()).to.equal(lowered + 10);
      await clock(charter).increaseTo(lowered + 100);
      expect(await earliest()).to.be.within(lowered + 110, lowered + 111);
    });

    it("earliestNewReleaseAt_fromRevokeOnlyOn_isNever", async () => {
      const { app } = await load();
      await app.raiseLevel(Level.RevokeOnly);
      expect((await app.control()).earliestNewReleaseAt).to.equal(NEVER);
    });

    it("nextChangeAt_isTheSoonestOfEverythingThatWaits", async () => {
      const { charter, app } = await load();
      const next = async () => Number((await app.control()).nextChangeAt);
      expect(await next()).to.equal(NEVER);
      await app.setGuardian(charter.stranger);
      const guardianAt = Number((await app.control()).pendingGuardianAt);
      expect(await next()).to.equal(guardianAt);
      await clock(charter).increase(10);
      await app.propose(V2, NOTE, 1, 60);
      expect(await next()).to.equal(guardianAt);
      const activatesAt = Number((await app.releaseOf(V2)).activatesAt);
      await clock(charter).increaseTo(guardianAt);
      expect(await next()).to.equal(activatesAt);
      await clock(charter).increaseTo(activatesAt);
      expect(await next()).to.equal(activatesAt + 60);
      await app.loosen([{ kind: SettingKind.Node, key: id("other"), value: 1n }]);
      await app.tighten([{ kind: SettingKind.Node, key: PLATFORM, value: 0n }]);
      expect(await next()).to.equal(activatesAt + 60);
    });
  });
});
