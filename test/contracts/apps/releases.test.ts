import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { Level } from "../../../protocol/words/enums.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { App } from "../../../types/typechain/index.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { createApp } from "../support/flows.ts";
import { COMPOSE_HASH } from "../support/verdicts.ts";

const NOTICE = 3600;
const GRACE = 600;
const [V2, V3, V4] = [id("v2"), id("v3"), id("v4")];
const NOTE = id("note");

describe("App: releases", () => {
  const load = useCharter(async (charter) => ({
    app: await createApp(charter, {
      guardian: charter.guardian.address,
      noticeSeconds: NOTICE,
      graceSeconds: GRACE,
    }),
  }));
  const clock = (charter: Charter) => charter.connection.networkHelpers.time;
  /** Proposes and gives the time from which it is active. */
  async function propose(app: App, hash: string, expected: number, grace = GRACE): Promise<number> {
    await app.propose(hash, NOTE, expected, grace);
    return Number((await app.releaseOf(hash)).activatesAt);
  }
  const allowed = (app: App, ...numbers: number[]) =>
    Promise.all(numbers.map((number) => app.isReleaseNumberAllowed(number)));

  it("propose_noticeOver_isActiveWithoutATransaction_andPredecessorRunsOutItsGrace", async () => {
    const { charter, app } = await load();
    const time = clock(charter);
    const at = await propose(app, V2, 1);
    await time.increaseTo(at - 1);
    expect(await allowed(app, 1, 2)).to.deep.equal([true, false]);
    expect(await app.head()).to.equal(1n);
    await time.increaseTo(at);
    expect(await allowed(app, 1, 2)).to.deep.equal([true, true]);
    expect(await app.head()).to.equal(2n);
    await time.increaseTo(at + GRACE - 1);
    expect(await allowed(app, 1, 2)).to.deep.equal([true, true]);
    await time.increaseTo(at + GRACE);
    expect(await allowed(app, 1, 2)).to.deep.equal([false, true]);
    expect(await app.isReleaseAllowed(COMPOSE_HASH)).to.equal(false);
    expect(await app.isReleaseAllowed(V2)).to.equal(true);
  });

  it("propose_byOwner_emitsEverything", async () => {
    const { charter, app } = await load();
    const next = (await clock(charter).latest()) + 1;
    await clock(charter).setNextBlockTimestamp(next);
    await expect(app.propose(V2, NOTE, 1, 60))
      .to.emit(app, "ReleaseProposed")
      .withArgs(2, V2, NOTE, next + NOTICE, 60, 1, next + NOTICE + 60, 0, charter.owner);
  });

  it("propose_anyNotice_activatesExactlyThatLongAfterItsBlock_inEventAndState", async () => {
    const { charter, app: other } = await load();
    const YEAR = 365 * 86_400; // the bound
    for (const notice of [0, 1, 60, 86_400, YEAR - 1, YEAR]) {
      const app = await createApp(charter, { noticeSeconds: notice, salt: id(`notice ${notice}`) });
      // Not the next second: what counts is the block's own time.
      const minedAt = (await clock(charter).latest()) + 7;
      const activatesAt = minedAt + notice;
      await clock(charter).setNextBlockTimestamp(minedAt);
      await expect(app.propose(V2, NOTE, 1, GRACE))
        .to.emit(app, "ReleaseProposed")
        .withArgs(2, V2, NOTE, activatesAt, GRACE, 1, activatesAt + GRACE, 0, charter.owner);
      const release = await app.releaseOf(V2);
      expect([release.number, release.activatesAt]).to.deep.equal([2n, BigInt(activatesAt)]);
      expect((await app.releaseOf(COMPOSE_HASH)).endsAt).to.equal(BigInt(activatesAt + GRACE));
      expect(await allowed(app, 1, 2)).to.deep.equal([true, notice === 0]);
      if (notice === 0) continue;
      if (notice > 1) await clock(charter).increaseTo(activatesAt - 1);
      expect(await allowed(app, 2), `${notice} s, a second before`).to.deep.equal([false]);
      await clock(charter).increaseTo(activatesAt);
      expect(await allowed(app, 2), `${notice} s`).to.deep.equal([true]);
    }
    await expect(createApp(charter, { noticeSeconds: YEAR + 1 }))
      .to.be.revertedWithCustomError(other, "NoticeTooLong")
      .withArgs(YEAR, YEAR + 1);
  });

  it("propose_byGuardianOrStranger_reverts", async () => {
    const { charter, app } = await load();
    for (const other of [charter.guardian, charter.stranger]) {
      await expect(app.connect(other).propose(V2, NOTE, 1, 0))
        .to.be.revertedWithCustomError(app, "NotOwner")
        .withArgs(charter.owner, other);
    }
  });

  it("propose_whileOnePends_reverts_soThatALoweredNoticeCannotOvertakeIt", async () => {
    const { charter, app } = await load();
    await app.loosen([{ kind: SettingKind.Notice, key: ZeroHash, value: 10n }]);
    await clock(charter).increase(NOTICE - 5);
    await propose(app, V2, 1); // waits the old notice
    await clock(charter).increase(10); // the lower notice is in force
    expect((await app.control()).noticeSeconds).to.equal(10n);
    await expect(app.propose(V3, NOTE, 1, 0))
      .to.be.revertedWithCustomError(app, "ReleasePending")
      .withArgs(2);
  });

  it("propose_overAnotherHeadThanExpected_reverts", async () => {
    const { charter, app } = await load();
    await clock(charter).increaseTo(await propose(app, V2, 1));
    // A vote that took long meant to follow release 1.
    await expect(app.propose(V3, NOTE, 1, 0))
      .to.be.revertedWithCustomError(app, "UnexpectedPredecessor")
      .withArgs(1, 2);
  });

  it("propose_whatIsLive_reverts_soThatOneRevokeStopsAHash", async () => {
    const { charter, app } = await load();
    await expect(app.propose(COMPOSE_HASH, NOTE, 1, 0))
      .to.be.revertedWithCustomError(app, "ReleaseStillLive")
      .withArgs(COMPOSE_HASH, 1);
    const at = await propose(app, V2, 1);
    await clock(charter).increaseTo(at + GRACE - 10);
    await expect(app.propose(COMPOSE_HASH, NOTE, 2, 0)).to.be.revertedWithCustomError(
      app,
      "ReleaseStillLive",
    );
    expect(await app.head()).to.equal(2n);
  });

  it("propose_whatHasEnded_isANewReleaseAfterNotice", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await clock(charter).increaseTo(at + GRACE);
    const again = await propose(app, COMPOSE_HASH, 2);
    expect((await app.releaseOf(COMPOSE_HASH)).number).to.equal(3n);
    expect(await app.isReleaseAllowed(COMPOSE_HASH)).to.equal(false);
    await clock(charter).increaseTo(again);
    expect(await allowed(app, 1, 2, 3)).to.deep.equal([false, true, true]);
  });

  it("propose_zeroHashOrTooMuchGrace_reverts", async () => {
    const { app } = await load();
    await expect(app.propose(ZeroHash, NOTE, 1, 0)).to.be.revertedWithCustomError(app, "ZeroComposeHash");
    await expect(app.propose(V2, NOTE, 1, GRACE + 1))
      .to.be.revertedWithCustomError(app, "GraceTooLong")
      .withArgs(GRACE, GRACE + 1);
  });

  it("propose_thirdWithinGrace_cutsTheOldestAndSaysSo", async () => {
    const { charter, app } = await load();
    const time = clock(charter);
    await app.loosen([
      { kind: SettingKind.Notice, key: ZeroHash, value: 10n },
      { kind: SettingKind.Grace, key: ZeroHash, value: 100_000n },
    ]);
    await time.increase(NOTICE);
    await time.increaseTo(await propose(app, V2, 1, 90_000));
    await time.increaseTo(await propose(app, V3, 2, 90_000));
    expect(await allowed(app, 1, 2, 3)).to.deep.equal([true, true, true]);
    const next = (await time.latest()) + 1;
    await time.setNextBlockTimestamp(next);
    await expect(app.propose(V4, NOTE, 3, 90_000))
      .to.emit(app, "ReleaseProposed")
      .withArgs(4, V4, NOTE, next + 10, 90_000, 3, next + 10 + 90_000, 1, charter.owner);
    expect(await allowed(app, 1, 2, 3, 4)).to.deep.equal([false, true, true, false]);
    // Its slot is given away: nothing brings it back.
    await app.veto(4);
    await app.revoke(3);
    expect(await allowed(app, 1, 2, 3, 4)).to.deep.equal([false, true, false, false]);
  });

  it("grace_raisedLater_allowsNothingAgain", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1, 60);
    await clock(charter).increaseTo(at + 60);
    await app.loosen([{ kind: SettingKind.Grace, key: ZeroHash, value: 30n * 86_400n }]);
    await clock(charter).increase(NOTICE);
    expect((await app.control()).graceSeconds).to.equal(30n * 86_400n);
    expect(await allowed(app, 1, 2)).to.deep.equal([false, true]);
  });

  it("veto_beforeActivation_liftsThePredecessorsEnd", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await clock(charter).setNextBlockTimestamp(at - 1);
    await expect(app.connect(charter.guardian).veto(2))
      .to.emit(app, "ReleaseVetoed")
      .withArgs(2, 1, NEVER, charter.guardian);
    await clock(charter).increaseTo(at + GRACE + 1);
    expect(await allowed(app, 1, 2)).to.deep.equal([true, false]);
    expect(await app.head()).to.equal(1n);
  });

  it("veto_fromActivationOn_reverts", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await clock(charter).setNextBlockTimestamp(at);
    await expect(app.connect(charter.guardian).veto(2))
      .to.be.revertedWithCustomError(app, "ReleaseNotPending")
      .withArgs(2);
  });

  it("veto_byStranger_reverts", async () => {
    const { charter, app } = await load();
    await propose(app, V2, 1);
    await expect(app.connect(charter.stranger).veto(2))
      .to.be.revertedWithCustomError(app, "NotOwnerOrGuardian")
      .withArgs(charter.owner, charter.guardian, charter.stranger);
  });

  it("revoke_headWithinGrace_givesThePredecessorBack", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await clock(charter).increaseTo(at + 10);
    const next = at + 20;
    await clock(charter).setNextBlockTimestamp(next);
    await expect(app.connect(charter.guardian).revoke(2))
      .to.emit(app, "ReleaseRevoked")
      .withArgs(2, NEVER, next, 1, NEVER, charter.guardian);
    expect(await allowed(app, 1, 2)).to.deep.equal([true, false]);
    await clock(charter).increaseTo(at + 10 * GRACE);
    expect(await app.head()).to.equal(1n);
  });

  it("revoke_headAfterGrace_leavesNoHead", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await clock(charter).increaseTo(at + GRACE);
    await app.revoke(2);
    expect(await app.head()).to.equal(0n);
    expect(await allowed(app, 1, 2)).to.deep.equal([false, false]);
    // Out of that, only a new release after notice.
    const again = await propose(app, V3, 0);
    expect(again).to.equal((await clock(charter).latest()) + NOTICE);
  });

  it("revoke_inTheMiddle_revivesNoEndedCode", async () => {
    const { charter, app } = await load();
    const time = clock(charter);
    await time.increaseTo((await propose(app, V2, 1, 60)) + 60); // release 1 has ended
    await time.increaseTo(await propose(app, V3, 2, GRACE));
    await app.revoke(2);
    expect(await allowed(app, 1, 2, 3)).to.deep.equal([false, false, true]);
    await app.revoke(3);
    expect(await allowed(app, 1, 2, 3)).to.deep.equal([false, false, false]);
    expect(await app.head()).to.equal(0n);
  });

  it("revoke_byGuardianAgainAndAgain_cannotWalkBackToTheOldest", async () => {
    const { charter, app } = await load();
    const time = clock(charter);
    const guarded = app.connect(charter.guardian);
    await time.increaseTo((await propose(app, V2, 1, 60)) + 60);
    await time.increaseTo((await propose(app, V3, 2, 60)) + 60);
    await guarded.revoke(3);
    for (const number of [1, 2, 3]) {
      await expect(guarded.revoke(number))
        .to.be.revertedWithCustomError(app, "ReleaseNotLive")
        .withArgs(number);
    }
    expect(await allowed(app, 1, 2, 3)).to.deep.equal([false, false, false]);
  });

  it("revoke_headWhileASuccessorPends_leavesNothingUntilTheSuccessorActivates", async () => {
    const { charter, app } = await load();
    const at = await propose(app, V2, 1);
    await app.revoke(1);
    expect(await app.head()).to.equal(0n);
    expect(await allowed(app, 1, 2)).to.deep.equal([false, false]);
    await clock(charter).increaseTo(at);
    expect(await allowed(app, 1, 2)).to.deep.equal([false, true]);
  });

  it("revokeByHash_isRevokeByNumber", async () => {
    const { app } = await load();
    await app.revokeByHash(COMPOSE_HASH);
    expect(await app.isReleaseAllowed(COMPOSE_HASH)).to.equal(false);
    await expect(app.revokeByHash(V2)).to.be.revertedWithCustomError(app, "ReleaseNotLive").withArgs(0);
  });

  it("liveReleases_pendingHeadAndGrace_saysNumbersAndEnds", async () => {
    const { charter, app } = await load();
    const time = clock(charter);
    const second = await propose(app, V2, 1, GRACE);
    await time.increaseTo(second);
    const third = await propose(app, V3, 2, 60);
    const live = (await app.liveReleases()).map(({ number, endsAt }) => [number, endsAt]);
    expect(live).to.deep.equal([
      [3n, BigInt(NEVER)],
      [2n, BigInt(third + 60)],
      [1n, BigInt(second + GRACE)],
    ]);
    expect(await app.lastRelease()).to.equal(3n);
    expect((await app.releaseOf(id("never proposed"))).number).to.equal(0n);
  });

  it("propose_fromRevokeOnlyOn_reverts_andFrozenRefusesRevokeToo", async () => {
    const { app } = await load();
    await app.raiseLevel(Level.RevokeOnly);
    await expect(app.propose(V2, NOTE, 1, 0))
      .to.be.revertedWithCustomError(app, "LevelForbids")
      .withArgs(Level.RevokeOnly, app.interface.getFunction("propose").selector);
    await app.raiseLevel(Level.Frozen);
    await expect(app.revoke(1)).to.be.revertedWithCustomError(app, "LevelForbids");
    expect(await allowed(app, 1)).to.deep.equal([true]);
  });
});
