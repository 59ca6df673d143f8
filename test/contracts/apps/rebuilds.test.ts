import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { createApp, POLICY, word } from "../support/flows.ts";
import { COMPOSE_HASH } from "../support/verdicts.ts";

const NOTICE = 3600;
const [V2, V3, NOTE] = [id("v2"), id("v3"), id("note")];
const rebuilder = (account: string, value = 1n) => ({
  kind: SettingKind.Rebuilder,
  key: word(BigInt(account)),
  value,
});
const required = (value: bigint) => ({ kind: SettingKind.RebuildsRequired, key: ZeroHash, value });

describe("App: rebuilders", () => {
  /** Two of three must report; operator, guardian and stranger are the three. */
  const load = useCharter(async (charter) => {
    const rebuilders = [charter.operator, charter.guardian, charter.stranger] as const;
    const settings = [...POLICY, ...rebuilders.map(({ address }) => rebuilder(address)), required(2n)];
    const app = await createApp(charter, { settings, noticeSeconds: NOTICE, graceSeconds: 600 });
    return { app, rebuilders, first: app.connect(rebuilders[0]), second: app.connect(rebuilders[1]) };
  });
  const clock = (charter: Charter) => charter.connection.networkHelpers.time;

  it("propose_whereRebuildsAreRequired_saysHowManyOfWhichSet", async () => {
    const { app } = await load();
    await expect(app.propose(V2, NOTE, 1, 60))
      .to.emit(app, "RebuildsDemanded")
      .withArgs(2, 2, 3, 3);
    expect(await app.rebuilds(2)).to.deep.equal([2n, 0n]);
  });

  it("reports_enough_activateTheReleaseAtItsTime", async () => {
    const { charter, app, rebuilders, first, second } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await expect(first.reportRebuild(2, V2))
      .to.emit(app, "RebuildReported")
      .withArgs(2, rebuilders[0], V2, true, 1);
    await second.reportRebuild(2, V2);
    expect(await app.rebuilds(2)).to.deep.equal([2n, 2n]);
    expect(await app.isReleaseAllowed(V2)).to.equal(false);
    await clock(charter).increase(NOTICE);
    expect(await app.isReleaseAllowed(V2)).to.equal(true);
    expect(await app.head()).to.equal(2n);
  });

  it("reports_tooFew_lapseTheRelease_andLeaveThePredecessorUntouched", async () => {
    const { charter, app, first } = await load();
    await app.propose(V2, NOTE, 1, 0); // without grace: a moment's carelessness would end release 1
    await first.reportRebuild(2, V2);
    const { activatesAt } = await app.releaseOf(V2);
    await clock(charter).increaseTo(activatesAt);
    expect(await app.isReleaseAllowed(V2)).to.equal(false);
    expect(await app.isReleaseAllowed(COMPOSE_HASH)).to.equal(true);
    expect(await app.head()).to.equal(1n);
    expect((await app.releaseOf(COMPOSE_HASH)).endsAt).to.equal(NEVER);
    await clock(charter).increase(100 * NOTICE);
    expect(await app.isReleaseAllowed(COMPOSE_HASH)).to.equal(true);
    // The same code may be tried again, over the head that never left.
    await app.propose(V2, NOTE, 1, 0);
  });

  it("report_late_reverts", async () => {
    const { charter, app, first, second } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await first.reportRebuild(2, V2);
    const { activatesAt } = await app.releaseOf(V2);
    await clock(charter).setNextBlockTimestamp(activatesAt);
    await expect(second.reportRebuild(2, V2))
      .to.be.revertedWithCustomError(app, "ReleaseNotPending")
      .withArgs(2);
    expect(await app.isReleaseAllowed(V2)).to.equal(false);
  });

  it("report_mismatch_blocksOnlyWhenTooFewCanStillMatch", async () => {
    const { charter, app, rebuilders, first, second } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await expect(first.reportRebuild(2, V3))
      .to.emit(app, "RebuildReported")
      .withArgs(2, rebuilders[0], V3, false, 0);
    await second.reportRebuild(2, V2);
    await app.connect(rebuilders[2]).reportRebuild(2, V2);
    await clock(charter).increase(NOTICE);
    expect(await app.isReleaseAllowed(V2)).to.equal(true);
  });

  it("report_twiceOrByAnother_reverts", async () => {
    const { charter, app, first } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await first.reportRebuild(2, V3);
    await expect(first.reportRebuild(2, V2)).to.be.revertedWithCustomError(app, "AlreadyReported");
    await expect(app.reportRebuild(2, V2))
      .to.be.revertedWithCustomError(app, "NotARebuilder")
      .withArgs(charter.owner, 3);
  });

  it("report_ofAnotherReleaseOrZero_doesNotMatch", async () => {
    const { app, rebuilders, first, second } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await expect(first.reportRebuild(2, COMPOSE_HASH))
      .to.emit(app, "RebuildReported")
      .withArgs(2, rebuilders[0], COMPOSE_HASH, false, 0);
    await expect(second.reportRebuild(2, ZeroHash))
      .to.emit(app, "RebuildReported")
      .withArgs(2, rebuilders[1], ZeroHash, false, 0);
    await expect(first.reportRebuild(1, COMPOSE_HASH)).to.be.revertedWithCustomError(
      app,
      "ReleaseNotPending",
    );
  });

  it("setOfRebuilders_changedAfterTheProposal_doesNotTouchIt", async () => {
    const { charter, app, rebuilders, first, second } = await load();
    await app.propose(V2, NOTE, 1, 60);
    // Taken away afterwards: still counts here. Brought in afterwards: does not.
    await app.tighten([rebuilder(rebuilders[0].address, 0n), required(3n)]);
    const late = charter.governance;
    await app.loosen([rebuilder(late.address)]);
    await first.reportRebuild(2, V2);
    await second.reportRebuild(2, V2);
    await expect(app.connect(late).reportRebuild(2, V2)).to.be.revertedWithCustomError(app, "NotARebuilder");
    await clock(charter).increase(NOTICE);
    expect(await app.isReleaseAllowed(V2)).to.equal(true);
    // The next release counts the set of its own proposal.
    await app.propose(V3, NOTE, 2, 60);
    await expect(first.reportRebuild(3, V3)).to.be.revertedWithCustomError(app, "NotARebuilder");
    await app.connect(late).reportRebuild(3, V3);
  });

  it("propose_withFewerRebuildersThanRequired_reverts", async () => {
    const { app, rebuilders } = await load();
    await app.tighten([rebuilder(rebuilders[0].address, 0n), rebuilder(rebuilders[1].address, 0n)]);
    await expect(app.propose(V2, NOTE, 1, 60))
      .to.be.revertedWithCustomError(app, "TooFewRebuilders")
      .withArgs(2, 1);
  });

  it("propose_withoutNotice_reverts_asNobodyCouldReport", async () => {
    const { charter, rebuilders } = await load();
    const settings = [...POLICY, rebuilder(rebuilders[0].address), required(1n)];
    const app = await createApp(charter, { settings, noticeSeconds: 0, salt: id("no notice") });
    await expect(app.propose(V2, NOTE, 1, 0)).to.be.revertedWithCustomError(app, "NoTimeToRebuild");
  });

  it("lapsed_thenPredecessorRevoked_leavesNoHead", async () => {
    const { charter, app } = await load();
    await app.propose(V2, NOTE, 1, 60);
    await clock(charter).increase(NOTICE);
    await app.revoke(1);
    expect(await app.head()).to.equal(0n);
    expect(await app.isReleaseAllowed(V2)).to.equal(false);
    await expect(app.revoke(2)).to.be.revertedWithCustomError(app, "ReleaseNotLive").withArgs(2);
  });
});
