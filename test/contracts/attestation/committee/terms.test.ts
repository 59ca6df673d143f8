import { expect } from "chai";
import { ZeroAddress } from "ethers";

import type { CommitteeVerifier } from "../../../../types/typechain/index.ts";
import { useCharter } from "../../support/chains.ts";
import {
  ascending,
  COMMITTEE_EXPIRES_AT,
  COMMITTEE_NOTICE,
  openChain,
  walletOf,
} from "../../support/charter.ts";
import { askCommittee, encodeProof, nodeVerdict, prove, signaturesOf } from "../../support/verdicts.ts";

const YEAR = 366n * 86_400n;

describe("CommitteeVerifier: who sits, from when", () => {
  const fresh = ascending([walletOf("fresh 1"), walletOf("fresh 2")]);
  const addresses = fresh.map((member) => member.address);
  const scene = useCharter(async (charter) => {
    const verdict = await nodeVerdict(charter, walletOf("node"));
    return {
      verifier: charter.committeeVerifier,
      time: charter.connection.networkHelpers.time,
      verdict,
      oldProof: await prove(charter, verdict),
      newProof: encodeProof(verdict, await signaturesOf(charter, verdict, fresh)),
    };
  });
  const propose = (
    verifier: CommitteeVerifier,
    members: readonly string[],
    threshold = 2,
    until = COMMITTEE_EXPIRES_AT,
  ) => verifier.proposeCommittee([...members], threshold, until, ZeroAddress, ZeroAddress);

  it("proposeCommittee_afterItsNotice_countsWithNoFurtherTransaction", async () => {
    const { charter, verifier, time, verdict, oldProof, newProof } = await scene();
    const old = charter.members.map((member) => member.address);
    const sent = await propose(verifier, addresses);
    const effectiveAt = BigInt(await time.latest()) + COMMITTEE_NOTICE;
    await expect(sent)
      .to.emit(verifier, "CommitteeChanged")
      .withArgs(
        old,
        2,
        addresses,
        2,
        effectiveAt,
        COMMITTEE_EXPIRES_AT,
        ZeroAddress,
        ZeroAddress,
        charter.governance.address,
      );
    const next = [addresses, 2n, effectiveAt, COMMITTEE_EXPIRES_AT, ZeroAddress, ZeroAddress];
    expect(await verifier.nextCommittee()).to.deep.equal(next);

    await time.increaseTo(effectiveAt - 1n);
    expect((await verifier.committee()).members).to.deep.equal(old);
    await askCommittee(charter, verdict, oldProof);
    await expect(askCommittee(charter, verdict, newProof)).to.be.revertedWithCustomError(
      verifier,
      "NotAMember",
    );

    await time.increaseTo(effectiveAt);
    expect(await verifier.committee()).to.deep.equal(next);
    expect((await verifier.nextCommittee()).effectiveAt).to.equal(0);
    await askCommittee(charter, verdict, newProof);
    await expect(askCommittee(charter, verdict, oldProof)).to.be.revertedWithCustomError(
      verifier,
      "NotAMember",
    );
    expect(await verifier.seatOf(addresses[0] as string)).to.equal(addresses[0]);
    await expect(verifier.seatOf(old[0] as string)).to.be.revertedWithCustomError(verifier, "NotAMember");
  });

  it("proposeCommittee_afterAnother_replacesTheOneThatTookEffect", async () => {
    const { charter, verifier, time, verdict, oldProof, newProof } = await scene();
    await propose(verifier, addresses);
    await time.increase(COMMITTEE_NOTICE);
    const old = charter.members.map((member) => member.address);
    await expect(propose(verifier, old))
      .to.emit(verifier, "CommitteeChanged")
      .withArgs(
        addresses,
        2,
        old,
        2,
        (at: bigint) => at > 0n,
        COMMITTEE_EXPIRES_AT,
        ZeroAddress,
        ZeroAddress,
        (actor: string) => actor === charter.governance.address,
      );
    await askCommittee(charter, verdict, newProof);
    await time.increase(COMMITTEE_NOTICE);
    await askCommittee(charter, verdict, oldProof);
  });

  it("proposeCommittee_whileOneWaits_reverts", async () => {
    const { verifier, time } = await scene();
    await propose(verifier, addresses);
    const effectiveAt = BigInt(await time.latest()) + COMMITTEE_NOTICE;
    await expect(propose(verifier, addresses))
      .to.be.revertedWithCustomError(verifier, "CommitteePending")
      .withArgs(effectiveAt);
  });

  it("cancelCommittee_beforeItsTime_leavesTheOldOneInForce", async () => {
    const { charter, verifier, time, verdict, oldProof } = await scene();
    await propose(verifier, addresses);
    const effectiveAt = BigInt(await time.latest()) + COMMITTEE_NOTICE;
    await expect(verifier.cancelCommittee())
      .to.emit(verifier, "CommitteeCancelled")
      .withArgs(addresses, 2, effectiveAt, charter.governance.address);
    expect((await verifier.nextCommittee()).effectiveAt).to.equal(0);
    await time.increaseTo(effectiveAt);
    await askCommittee(charter, verdict, oldProof);
    // Who was cancelled sits nowhere, in a later committee neither.
    await propose(verifier, [...addresses.slice(0, 1)], 1);
    await time.increase(COMMITTEE_NOTICE);
    await expect(verifier.seatOf(addresses[1] as string)).to.be.revertedWithCustomError(
      verifier,
      "NotAMember",
    );
  });

  it("cancelCommittee_nothingWaits_reverts", async () => {
    const { verifier, time } = await scene();
    await expect(verifier.cancelCommittee()).to.be.revertedWithCustomError(verifier, "NoCommitteePending");
    await propose(verifier, addresses);
    await time.increase(COMMITTEE_NOTICE);
    await expect(verifier.cancelCommittee()).to.be.revertedWithCustomError(verifier, "NoCommitteePending");
  });

  it("proposeCommittee_thresholdZeroTooHighOrNoMajority_reverts", async () => {
    const { charter, verifier } = await scene();
    const members = charter.members.map((member) => member.address);
    for (const [sitting, threshold] of [
      [members, 0],
      [members, 4],
      [members, 1],
      [members.slice(0, 2), 1],
      [[], 0],
      [[], 1],
    ] as const) {
      await expect(propose(verifier, sitting, threshold))
        .to.be.revertedWithCustomError(verifier, "BadThreshold")
        .withArgs(sitting.length, threshold);
    }
  });

  it("proposeCommittee_zeroDuplicateDescendingOrTooManyMembers_reverts", async () => {
    const { charter, verifier } = await scene();
    const [a, b] = charter.members.map((member) => member.address) as [string, string];
    for (const [members, bad] of [
      [[ZeroAddress, a], ZeroAddress],
      [[a, a], a],
      [[b, a], a],
    ] as const) {
      await expect(propose(verifier, members))
        .to.be.revertedWithCustomError(verifier, "BadMember")
        .withArgs(bad);
    }
    const many = ascending(Array.from({ length: 33 }, (_, i) => walletOf(`member ${i}`)));
    const all = many.map((member) => member.address);
    await expect(propose(verifier, all, 17))
      .to.be.revertedWithCustomError(verifier, "TooManyMembers")
      .withArgs(32, 33);
    await propose(verifier, all.slice(1), 17);
  });

  it("proposeCommittee_expiredBeforeItBegins_reverts", async () => {
    const { verifier, time } = await scene();
    const at = BigInt(await time.latest()) + 10n;
    await time.setNextBlockTimestamp(at);
    await expect(propose(verifier, addresses, 2, at + COMMITTEE_NOTICE)).to.be.revertedWithCustomError(
      verifier,
      "BadExpiry",
    );
  });

  it("proposeCommittee_ofKeysForOverAYear_revertsOnAProductionChain", async () => {
    const production = await openChain(1);
    try {
      const factory = await production.ethers.getContractFactory("CommitteeVerifier");
      const [owner] = await production.ethers.getSigners();
      const at = BigInt(await production.networkHelpers.time.latest()) + 100n;
      const deploy = (until: bigint, notice: bigint) =>
        factory.deploy(owner?.address ?? ZeroAddress, addresses, 2, until, notice);
      await production.networkHelpers.time.setNextBlockTimestamp(at);
      await expect(deploy(at + YEAR + 1n, 1n))
        .to.be.revertedWithCustomError(factory, "BadExpiry")
        .withArgs(at, at + YEAR + 1n, YEAR);
      await expect(deploy(at + YEAR, 0n)).to.be.revertedWithCustomError(factory, "NoNotice");
      await deploy(at + YEAR, 1n);
    } finally {
      await production.close();
    }
  });

  it("constructor_noticeOverAYear_reverts", async () => {
    const { charter } = await scene();
    const factory = await charter.connection.ethers.getContractFactory("CommitteeVerifier");
    const deploy = (notice: bigint) =>
      factory.deploy(charter.governance.address, addresses, 2, COMMITTEE_EXPIRES_AT, notice);
    await expect(deploy(365n * 86_400n + 1n)).to.be.revertedWithCustomError(factory, "NoticeTooLong");
    await deploy(0n);
  });

  it("owned_callerNotOwner_reverts", async () => {
    const { charter, verifier } = await scene();
    const theirs = verifier.connect(charter.stranger);
    for (const call of [
      () => propose(theirs, addresses),
      () => theirs.cancelCommittee(),
      () => theirs.setDisputes(ZeroAddress),
    ]) {
      await expect(call())
        .to.be.revertedWithCustomError(verifier, "OwnableUnauthorizedAccount")
        .withArgs(charter.stranger.address);
    }
  });

  describe("marks", () => {
    it("mark_byTheDisputesContract_theSignerCountsNoMore", async () => {
      const { charter, verifier, verdict } = await scene();
      const [a, b, c] = charter.members;
      const { stranger, governance } = charter;
      await expect(verifier.setDisputes(stranger.address))
        .to.emit(verifier, "DisputesChanged")
        .withArgs(ZeroAddress, stranger.address, governance.address);
      expect(await verifier.disputes()).to.equal(stranger.address);
      await expect(verifier.connect(stranger).mark([b?.address ?? ""]))
        .to.emit(verifier, "SignerMarked")
        .withArgs(b?.address, b?.address, stranger.address);
      expect(await verifier.isMarked(b?.address ?? "")).to.equal(true);
      const proofOf = async (...signers: (typeof a)[]) =>
        encodeProof(
          verdict,
          await signaturesOf(
            charter,
            verdict,
            signers.filter((one) => one !== undefined),
          ),
        );
      await askCommittee(charter, verdict, await proofOf(a, c));
      for (const signers of [
        [a, b],
        [b, c],
        [a, b, c],
      ]) {
        await expect(askCommittee(charter, verdict, await proofOf(...signers)))
          .to.be.revertedWithCustomError(verifier, "SignerIsMarked")
          .withArgs(b?.address, b?.address);
      }
    });

    it("mark_aKeyThatSitsAgain_countsNoMoreThere", async () => {
      const { charter, verifier, time, verdict, newProof } = await scene();
      await verifier.setDisputes(charter.governance.address);
      await verifier.mark([addresses[0] as string]);
      await propose(verifier, addresses);
      await time.increase(COMMITTEE_NOTICE);
      await expect(askCommittee(charter, verdict, newProof)).to.be.revertedWithCustomError(
        verifier,
        "SignerIsMarked",
      );
    });

    it("mark_byAnybodyElse_reverts", async () => {
      const { charter, verifier } = await scene();
      await expect(verifier.mark([addresses[0] as string]))
        .to.be.revertedWithCustomError(verifier, "NotDisputes")
        .withArgs(ZeroAddress, charter.governance.address);
    });
  });
});
