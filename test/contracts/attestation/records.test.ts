import { expect } from "chai";
import { id, ZeroAddress, ZeroHash, type Wallet } from "ethers";

import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { ProofSystem, TcbStatus } from "../../../protocol/words/enums.ts";
import type { VerifierDouble } from "../../../types/typechain/index.ts";
import { walletOf, type Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { attestVerdict, createApp, POLICY, register, word } from "../support/flows.ts";
import { standingOf } from "../support/standings.ts";
import { doubleProof, instanceVerdict, type Verdict } from "../support/verdicts.ts";

const DIRECT = BigInt(ProofSystem.Direct);
const bit = (system: number) => 1n << BigInt(system);
const FAR = 3_000_000_000n;
const RECORD = 7n;
const REVIEW = 3600n;
const DIRECT_ONLY = [
  ...POLICY.filter(({ kind }) => kind !== SettingKind.ProofSystem),
  { kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n },
];
const REVIEWED = [...DIRECT_ONLY, { kind: SettingKind.ReviewSeconds, key: ZeroHash, value: REVIEW }];

describe("AttestationLedger: instances that rest on a record", () => {
  const key = walletOf("instance key");
  const scene = useCharter(async (charter) => {
    const deployed = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
    const direct = deployed as unknown as VerifierDouble;
    await charter.attestationLedger.setVerifier(DIRECT, await direct.getAddress());
    await direct.tell(RECORD, standingOf({ validUntil: FAR }));
    const app = await createApp(charter, { settings: REVIEWED });
    const at = await app.getAddress();
    await register(charter, walletOf("node key"), { validUntil: FAR });
    await attestDirect(charter, at, key);
    const { time } = charter.connection.networkHelpers;
    return { ledger: charter.attestationLedger, direct, app, at, time };
  });

  async function attestDirect(
    charter: Charter,
    app: string,
    by: Wallet,
    { over = {}, record = RECORD }: { over?: Partial<Verdict>; record?: bigint } = {},
  ): Promise<Verdict> {
    const verdict = await instanceVerdict(charter, app, by, over);
    const proof = doubleProof(verdict, record, FAR);
    await attestVerdict(charter, verdict, by, { system: DIRECT, proof });
    return verdict;
  }

  it("attest_directProof_isLiveAndNamesItsRecord", async () => {
    const { ledger, at } = await scene();
    const entry = await ledger.instance(at, key.address);
    expect(entry.record).to.equal(RECORD);
    expect(entry.proofSystems).to.equal(bit(ProofSystem.Direct));
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.Allowed);
  });

  it("isLive_collateralEnded_isSuspendedAndHealsByItself", async () => {
    const { ledger, direct, at, time } = await scene();
    const end = BigInt(await time.latest()) + 100n;
    await direct.tell(RECORD, standingOf({ validUntil: end }));
    await time.increaseTo(end - 1n);
    expect(await ledger.isLive(at, key.address)).to.equal(true);
    await time.increaseTo(end);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
    await direct.tell(RECORD, standingOf({ validUntil: end + 1000n }));
    expect(await ledger.isLive(at, key.address)).to.equal(true);
  });

  it("isLive_epochChanged_lastsForTheAppsReviewAlone", async () => {
    const { ledger, direct, at, time } = await scene();
    const since = BigInt(await time.latest());
    await direct.tell(RECORD, standingOf({ validUntil: FAR, staleSince: since }));
    await time.increaseTo(since + REVIEW - 1n);
    expect(await ledger.isLive(at, key.address)).to.equal(true);
    await time.increaseTo(since + REVIEW);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
    // Judged anew: current again.
    await direct.tell(RECORD, standingOf({ validUntil: FAR }));
    expect(await ledger.isLive(at, key.address)).to.equal(true);
  });

  it("isLive_epochChangedWhereTheAppGivesNoReview_isFalseInTheSameBlock", async () => {
    const { charter, ledger, direct, app, at } = await scene();
    const strict = await (
      await createApp(charter, { settings: DIRECT_ONLY, salt: id("strict") })
    ).getAddress();
    await attestDirect(charter, strict, key);
    expect(await ledger.isLive(strict, key.address)).to.equal(true);
    const block = (await charter.connection.ethers.provider.getBlock("latest"))?.timestamp ?? 0;
    const told = standingOf({ validUntil: FAR, staleSince: BigInt(block) });
    const blockTag = (await (await direct.tell(RECORD, told)).wait())?.blockNumber ?? 0;
    expect(await ledger.liveReason(strict, key.address, { blockTag })).to.equal(Reason.EvidenceTooOld);
    expect(await ledger.isLive(at, key.address, { blockTag })).to.equal(true);
    // The other app tightens its own review, and has none either from that block on.
    const review = { kind: SettingKind.ReviewSeconds, key: ZeroHash, value: 0n };
    const tightened = (await (await app.tighten([review])).wait())?.blockNumber ?? 0;
    expect(await ledger.isLive(at, key.address, { blockTag: tightened })).to.equal(false);
  });

  it("isLive_revoked_isFalseInTheSameBlockWhateverTheReview", async () => {
    const { ledger, direct, at, time } = await scene();
    for (const staleSince of [0n, BigInt(await time.latest())]) {
      const told = standingOf({ validUntil: FAR, revoked: true, staleSince });
      const blockTag = (await (await direct.tell(RECORD, told)).wait())?.blockNumber ?? 0;
      expect(await ledger.liveReason(at, key.address, { blockTag })).to.equal(Reason.TcbStatusNotAllowed);
      expect(await ledger.isLive(at, key.address, { blockTag: blockTag - 1 })).to.equal(staleSince === 0n);
    }
  });

  it("isLive_judgedAnew_countsTheRecordsStatusAndAdvisories", async () => {
    const { charter, ledger, direct, app, at, time } = await scene();
    const advisories = [id("INTEL-SA-00001")];
    const digest = await publishAdvisory(charter, "INTEL-SA-00001");
    const outOfDate = standingOf({ validUntil: FAR, status: TcbStatus.OutOfDate, advisoriesDigest: digest });
    await direct.tell(RECORD, outOfDate);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.TcbStatusNotAllowed);
    // What was proven stays as it was.
    expect((await ledger.instance(at, key.address)).status).to.equal(TcbStatus.UpToDate);
    const later = BigInt(await time.latest()) + 100_000n;
    await app.loosen([
      { kind: SettingKind.TcbStatus, key: word(TcbStatus.OutOfDate), value: 1n },
      { kind: SettingKind.Advisory, key: advisories[0] ?? "", value: later },
    ]);
    await time.increase(3600);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.Allowed);
    await direct.tell(RECORD, { ...outOfDate, advisoriesDigest: id("advisories that nobody published") });
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.AdvisoryNotAllowed);
    await direct.tell(RECORD, standingOf({ validUntil: FAR, status: TcbStatus.Unknown }));
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.TcbStatusNotAllowed);
  });

  it("isLive_recordThatNobodyKnows_isFalse", async () => {
    const { charter, ledger, at } = await scene();
    await attestDirect(charter, at, key, { record: 99n });
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.ProofMissing);
  });

  it("isLive_verifierReplacedOrRemoved_itsRecordsCountNoMore", async () => {
    const { charter, ledger, direct, at } = await scene();
    const another = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
    await (another as unknown as VerifierDouble).tell(RECORD, standingOf({ validUntil: FAR }));
    for (const verifier of [await another.getAddress(), ZeroAddress, await direct.getAddress()]) {
      await ledger.setVerifier(DIRECT, verifier);
      expect(await ledger.liveReason(at, key.address), verifier).to.equal(Reason.ProofMissing);
    }
    await attestDirect(charter, at, key);
    expect(await ledger.isLive(at, key.address)).to.equal(true);
  });

  it("attest_recordOfAnotherSystem_reverts", async () => {
    const { charter, ledger, at } = await scene();
    const zk = await charter.connection.ethers.deployContract("VerifierDouble", [BigInt(ProofSystem.Zk)]);
    await ledger.setVerifier(ProofSystem.Zk, await zk.getAddress());
    const verdict = await instanceVerdict(charter, at, key);
    const proof = doubleProof(verdict, RECORD);
    await expect(attestVerdict(charter, verdict, key, { system: BigInt(ProofSystem.Zk), proof }))
      .to.be.revertedWithCustomError(ledger, "UnexpectedRecord")
      .withArgs(ProofSystem.Zk, RECORD);
  });

  it("attest_directThenCommittee_staysOnTheRecord", async () => {
    const { charter, ledger, direct, at } = await scene();
    const verdict = await instanceVerdict(charter, at, key);
    const proof = doubleProof(verdict, RECORD, FAR);
    await attestVerdict(charter, verdict, key, { system: DIRECT, combines: true, proof });
    await attestVerdict(charter, verdict, key, { combines: true });
    const entry = await ledger.instance(at, key.address);
    expect(entry.proofSystems).to.equal(bit(ProofSystem.Direct) | bit(ProofSystem.Committee));
    expect(entry.record).to.equal(RECORD);
    // The committee's word does not outlive the record's.
    await direct.tell(RECORD, standingOf({ validUntil: FAR, revoked: true }));
    expect(await ledger.isLive(at, key.address)).to.equal(false);
  });

  it("attest_sentFirstBySomebodyWhoDoesNotCombine_canStillBeCombined", async () => {
    const { charter, ledger, at } = await scene();
    const verdict = await instanceVerdict(charter, at, key);
    // A proof in sight can be sent by anybody, in a way that serves nobody.
    await attestVerdict(charter, verdict, key, { combines: false });
    const proof = doubleProof(verdict, RECORD, FAR);
    await expect(
      attestVerdict(charter, verdict, key, { system: DIRECT, combines: true, proof }),
    ).to.be.revertedWithCustomError(ledger, "EvidenceNotNewer");
    await attestVerdict(charter, verdict, key, { combines: true });
    await attestVerdict(charter, verdict, key, { system: DIRECT, combines: true, proof });
    expect((await ledger.instance(at, key.address)).proofSystems).to.equal(
      bit(ProofSystem.Direct) | bit(ProofSystem.Committee),
    );
    // Nor does sending it once more without take anything away.
    await attestVerdict(charter, verdict, key, { combines: false });
    expect((await ledger.instance(at, key.address)).proofSystems).to.equal(
      bit(ProofSystem.Direct) | bit(ProofSystem.Committee),
    );
  });
});

/** Digest of the set with this advisory alone. */
async function publishAdvisory({ advisorySets }: Charter, advisory: string): Promise<string> {
  const digest = await advisorySets.publish.staticCall([advisory]);
  await advisorySets.publish([advisory]);
  return digest;
}
