import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { walletOf } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { attest, attestVerdict, createApp, POLICY, register, renew, word } from "../support/flows.ts";
import {
  COMMITTEE,
  COMPOSE_HASH,
  DAY,
  instanceVerdict,
  MEASUREMENT,
  OS_IMAGE,
  PLATFORM,
  prove,
  signInstance,
} from "../support/verdicts.ts";

const DIRECT = BigInt(ProofSystem.Direct);
const bit = (system: bigint) => 1n << system;

describe("AttestationLedger", () => {
  const key = walletOf("instance key");
  const scene = useCharter(async (charter) => {
    const app = await createApp(charter);
    await register(charter, walletOf("node key"), { validUntil: 3_000_000_000n });
    const { networkHelpers } = charter.connection;
    return { ledger: charter.attestationLedger, app, at: await app.getAddress(), time: networkHelpers.time };
  });
  const attested = async () => {
    const prepared = await scene();
    await attest(prepared.charter, prepared.at, key);
    return prepared;
  };

  describe("attest", () => {
    it("attest_allInOrder_isLiveAndEmitsEverything", async () => {
      const { charter, ledger, at } = await scene();
      const verdict = await instanceVerdict(charter, at, key, { simulated: true });
      const proof = await prove(charter, verdict);
      const signature = await signInstance(charter, key, verdict);
      await expect(ledger.connect(charter.stranger).attest(1, COMMITTEE, false, proof, signature))
        .to.emit(ledger, "InstanceProven")
        .withArgs(
          at,
          key.address,
          1,
          1,
          1,
          TeeKind.Tdx,
          TcbStatus.UpToDate,
          COMMITTEE,
          bit(COMMITTEE),
          true,
          false,
          0,
          verdict.evidenceDigest,
          verdict.evidenceBlock,
          verdict.validUntil,
          charter.stranger.address,
        );
      expect(await ledger.instance(at, key.address)).to.deep.equal([
        1n,
        1n,
        1n,
        BigInt(TeeKind.Tdx),
        BigInt(TcbStatus.UpToDate),
        true,
        false,
        bit(COMMITTEE),
        verdict.evidenceBlock,
        verdict.validUntil,
        0n,
        ZeroHash,
      ]);
      const measured = [OS_IMAGE, MEASUREMENT, verdict.pinnedMeasurementDigest, ZeroHash] as const;
      expect(await ledger.image(1)).to.deep.equal([...measured]);
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.Allowed);
      expect(await ledger.isLive(at, key.address)).to.equal(true);
      await ledger.requireLive(at, key.address);
    });

    it("attest_longCollateral_expiresAfterSevenDays", async () => {
      const { charter, ledger, at, time } = await scene();
      await attest(charter, at, key, { validUntil: 3_000_000_000n });
      const { expiresAt } = await ledger.instance(at, key.address);
      expect(expiresAt).to.equal(BigInt(await time.latest()) + 7n * DAY);
    });

    it("attest_appOfNoRegistry_isNeverLive", async () => {
      const { charter, ledger, app } = await scene();
      const { ethers } = charter.connection;
      for (const other of [charter.stranger.address, ZeroAddress]) {
        await expect(attest(charter, other, key)).to.be.revert(ethers);
      }
      // The logic has no releases of its own.
      const logic = await charter.appRegistry.implementation();
      await expect(attest(charter, logic, key)).to.be.revert(ethers);
      // A clone of the same logic with the same arguments, made by somebody else, is no app of this registry: whatever
      // it says of itself, it has no rules that anybody knows.
      const code = await ethers.provider.getCode(app);
      const lookalike = ethers.getAddress(`0x${id("lookalike").slice(-40)}`);
      await charter.connection.provider.request({ method: "hardhat_setCode", params: [lookalike, code] });
      const { provider } = charter.connection;
      const read = async (slot: number): Promise<unknown> =>
        provider.request({
          method: "eth_getStorageAt",
          params: [await app.getAddress(), `0x${slot.toString(16)}`, "latest"],
        });
      for (let slot = 0; slot < 24; slot++) {
        await provider.request({
          method: "hardhat_setStorageAt",
          params: [lookalike, `0x${slot.toString(16)}`, await read(slot)],
        });
      }
      await attest(charter, lookalike, key).catch(() => undefined);
      expect(await ledger.isLive(lookalike, key.address)).to.equal(false);
    });

    it("attest_verdictForAnotherLedger_reverts", async () => {
      const { charter, ledger, at } = await scene();
      const registry = await charter.nodeRegistry.getAddress();
      await expect(attest(charter, at, key, { consumer: registry }))
        .to.be.revertedWithCustomError(ledger, "WrongConsumer")
        .withArgs(await ledger.getAddress(), registry);
    });

    it("attest_replayedForAnotherApp_reverts", async () => {
      const { charter, ledger, at } = await scene();
      const other = await (await createApp(charter, { salt: id("other") })).getAddress();
      const verdict = await instanceVerdict(charter, at, key);
      const replayed = { ...verdict, subject: other };
      const proof = await prove(charter, replayed, verdict);
      // The committee spoke of the first app, and so did the key.
      await expect(attestVerdict(charter, replayed, key, { proof })).to.be.revertedWithCustomError(
        charter.committeeVerifier,
        "NotAMember",
      );
      const keySignature = await signInstance(charter, key, verdict);
      await expect(attestVerdict(charter, replayed, key, { keySignature })).to.be.revertedWithCustomError(
        ledger,
        "BadKeySignature",
      );
    });

    it("attest_replayedFromAnotherChain_reverts", async () => {
      const { charter, at } = await scene();
      const verdict = await instanceVerdict(charter, at, key);
      const elsewhere = { ...charter, chainId: 1n };
      const proof = await prove(elsewhere, verdict);
      await expect(attestVerdict(charter, verdict, key, { proof })).to.be.revertedWithCustomError(
        charter.committeeVerifier,
        "NotAMember",
      );
      const keySignature = await signInstance(elsewhere, key, verdict);
      await expect(attestVerdict(charter, verdict, key, { keySignature })).to.be.revertedWithCustomError(
        charter.attestationLedger,
        "BadKeySignature",
      );
    });

    it("attest_signedByAForeignKey_reverts", async () => {
      const { charter, ledger, at } = await scene();
      const foreign = walletOf("foreign key");
      const verdict = await instanceVerdict(charter, at, key);
      const keySignature = await signInstance(charter, foreign, verdict);
      await expect(attestVerdict(charter, verdict, key, { keySignature }))
        .to.be.revertedWithCustomError(ledger, "BadKeySignature")
        .withArgs(key.address, foreign.address);
      await expect(
        attestVerdict(charter, { ...verdict, key: ZeroAddress }, key, { keySignature: "0x" }),
      ).to.be.revertedWithCustomError(ledger, "BadKeySignature");
    });

    it("attest_evidenceOlderThanTheAppWants_reverts", async () => {
      const { charter, ledger, at } = await scene();
      const { networkHelpers } = charter.connection;
      const verdict = await instanceVerdict(charter, at, key);
      await networkHelpers.mine(99);
      // 100 blocks old in the next block: the app's limit.
      await ledger.attest.staticCall(
        1,
        COMMITTEE,
        false,
        await prove(charter, verdict),
        await signInstance(charter, key, verdict),
      );
      await networkHelpers.mine(1);
      await expect(attestVerdict(charter, verdict, key))
        .to.be.revertedWithCustomError(ledger, "EvidenceTooOld")
        .withArgs(verdict.evidenceBlock, verdict.evidenceBlock + 101n, 100);
    });

    it("attest_evidenceOfTheFutureOrAnotherFork_reverts", async () => {
      const { charter, ledger, at } = await scene();
      const { evidenceBlock } = await instanceVerdict(charter, at, key);
      await expect(
        attest(charter, at, key, { evidenceBlock: evidenceBlock + 5n }),
      ).to.be.revertedWithCustomError(ledger, "EvidenceBlockUnknown");
      await expect(attest(charter, at, key, { evidenceBlockHash: id("fork") })).to.be.revertedWithCustomError(
        ledger,
        "EvidenceBlockMismatch",
      );
    });

    it("attest_verdictExpired_reverts", async () => {
      const { charter, ledger, at, time } = await scene();
      const next = BigInt(await time.latest()) + 10n;
      await time.setNextBlockTimestamp(next);
      await expect(attest(charter, at, key, { validUntil: next }))
        .to.be.revertedWithCustomError(ledger, "VerdictExpired")
        .withArgs(next, next);
    });

    it("attest_nodeUnknown_reverts_expiredOrRetired_isNotLive", async () => {
      const { charter, ledger, at, time } = await scene();
      await expect(attest(charter, at, key, {}, { node: 2 }))
        .to.be.revertedWithCustomError(charter.nodeRegistry, "UnknownNode")
        .withArgs(2);
      await register(charter, walletOf("second"), { validUntil: BigInt(await time.latest()) + 50n });
      await time.increase(50);
      await attest(charter, at, key, {}, { node: 2 });
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.NodeNotAllowed);
      await charter.nodeRegistry.connect(charter.operator).retire(1);
      await attest(charter, at, key);
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.NodeNotAllowed);
    });

    it("attest_onAnotherPlatform_reverts", async () => {
      const { charter, ledger, at } = await scene();
      await expect(attest(charter, at, key, { platformId: id("elsewhere") }))
        .to.be.revertedWithCustomError(ledger, "PlatformMismatch")
        .withArgs(PLATFORM, id("elsewhere"));
    });

    it("attest_composeHashNeverReleased_reverts", async () => {
      const { charter, ledger, at } = await scene();
      for (const hash of [id("unknown"), ZeroHash]) {
        await expect(attest(charter, at, key, { composeHash: hash }))
          .to.be.revertedWithCustomError(ledger, "ReleaseUnknown")
          .withArgs(hash);
      }
    });

    it("attest_againstThePolicy_isKeptAndNeverLive", async () => {
      const { charter, ledger, app, at } = await scene();
      await app.propose(id("pending"), ZeroHash, 1, 0);
      for (const [over, reason] of [
        [{ composeHash: id("pending") }, Reason.ReleaseNotAllowed],
        [{ kind: BigInt(TeeKind.Snp) }, Reason.TeeKindNotAllowed],
        [{ kind: BigInt(TeeKind.None) }, Reason.TeeKindNotAllowed],
        [{ status: BigInt(TcbStatus.OutOfDate) }, Reason.TcbStatusNotAllowed],
        [{ status: BigInt(TcbStatus.Unknown) }, Reason.TcbStatusNotAllowed],
        [{ osImageHash: id("other image") }, Reason.OsImageNotAllowed],
        [{ measurementDigest: id("other measurement") }, Reason.OsImageNotAllowed],
      ] as const) {
        await attest(charter, at, key, over);
        expect(await ledger.liveReason(at, key.address)).to.equal(reason);
        expect(await ledger.isLive(at, key.address)).to.equal(false);
      }
    });

    it("attest_proofSystemWithoutVerifier_reverts", async () => {
      const { charter, ledger, at } = await scene();
      await expect(attest(charter, at, key, {}, { system: DIRECT }))
        .to.be.revertedWithCustomError(ledger, "NoVerifier")
        .withArgs(DIRECT);
    });
  });

  describe("combining proofs", () => {
    const both = useCharter(async (charter) => {
      const direct = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
      await charter.attestationLedger.setVerifier(DIRECT, await direct.getAddress());
      const required = { kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n };
      const statuses = { kind: SettingKind.TcbStatus, key: word(TcbStatus.OutOfDate), value: 1n };
      const app = await createApp(charter, { settings: [...POLICY, required, statuses] });
      await register(charter, walletOf("node key"), { validUntil: 3_000_000_000n });
      await register(charter, walletOf("second node key"), { validUntil: 3_000_000_000n });
      return { ledger: charter.attestationLedger, at: await app.getAddress() };
    });

    it("attest_oneOfTwoRequiredSystems_isNotLiveUntilTheOtherProves", async () => {
      const { charter, ledger, at } = await both();
      const verdict = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, verdict, key, { combines: true });
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.ProofMissing);
      await attestVerdict(charter, verdict, key, { system: DIRECT, combines: true });
      expect((await ledger.instance(at, key.address)).proofSystems).to.equal(bit(COMMITTEE) | bit(DIRECT));
      expect(await ledger.isLive(at, key.address)).to.equal(true);
    });

    it("attest_newerEvidence_clearsTheOlderProofs", async () => {
      const { charter, ledger, at } = await both();
      const verdict = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, verdict, key, { combines: true });
      await attestVerdict(charter, verdict, key, { system: DIRECT, combines: true });
      await attest(charter, at, key);
      expect((await ledger.instance(at, key.address)).proofSystems).to.equal(bit(COMMITTEE));
      expect(await ledger.isLive(at, key.address)).to.equal(false);
    });

    it("attest_olderOrOtherEvidenceOfTheSameBlock_reverts", async () => {
      const { charter, ledger, at } = await both();
      const older = await instanceVerdict(charter, at, key);
      await charter.connection.networkHelpers.mine(3);
      const newer = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, newer, key, { combines: true });
      await expect(attestVerdict(charter, older, key))
        .to.be.revertedWithCustomError(ledger, "EvidenceNotNewer")
        .withArgs(newer.evidenceBlock, older.evidenceBlock);
      await expect(
        attestVerdict(charter, { ...newer, evidenceDigest: id("twin evidence") }, key),
      ).to.be.revertedWithCustomError(ledger, "EvidenceNotNewer");
    });

    it("attest_sameEvidenceWithOtherFacts_reverts", async () => {
      const { charter, ledger, at } = await both();
      const verdict = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, verdict, key, { combines: true });
      for (const over of [
        { measurementDigest: id("other") },
        { pinnedMeasurementDigest: id("other") },
        { osImageHash: id("other") },
        { kind: BigInt(TeeKind.Snp) },
        { simulated: true },
      ]) {
        await expect(attestVerdict(charter, { ...verdict, ...over }, key))
          .to.be.revertedWithCustomError(ledger, "FactsChanged")
          .withArgs(verdict.evidenceDigest);
      }
      await expect(attestVerdict(charter, verdict, key, { node: 2 })).to.be.revertedWithCustomError(
        ledger,
        "FactsChanged",
      );
    });

    it("attest_sameEvidenceJudgedOtherwise_dropsTheProofsOfTheOldJudgement", async () => {
      const { charter, ledger, at } = await both();
      const verdict = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, verdict, key, { combines: true });
      await attestVerdict(charter, verdict, key, { system: DIRECT, combines: true });
      await attestVerdict(charter, { ...verdict, status: BigInt(TcbStatus.OutOfDate) }, key);
      const entry = await ledger.instance(at, key.address);
      expect(entry.status).to.equal(TcbStatus.OutOfDate);
      expect(entry.proofSystems).to.equal(bit(COMMITTEE));
      expect(await ledger.isLive(at, key.address)).to.equal(false);
    });

    it("attest_secondProofValidForLonger_keepsTheEarlierEnd", async () => {
      const { charter, ledger, at } = await both();
      const verdict = await instanceVerdict(charter, at, key);
      await attestVerdict(charter, verdict, key, { combines: true });
      const longer = { ...verdict, validUntil: verdict.validUntil + DAY };
      await attestVerdict(charter, longer, key, { system: DIRECT });
      expect((await ledger.instance(at, key.address)).expiresAt).to.equal(verdict.validUntil);
    });
  });

  describe("isLive", () => {
    it("isLive_neverProven_isFalse", async () => {
      const { ledger, at, charter } = await scene();
      for (const app of [at, charter.stranger.address]) {
        expect(await ledger.liveReason(app, key.address)).to.equal(Reason.ProofMissing);
        expect(await ledger.isLive(app, key.address)).to.equal(false);
        await expect(ledger.requireLive(app, key.address))
          .to.be.revertedWithCustomError(ledger, "NotLive")
          .withArgs(app, key.address);
      }
    });

    it("isLive_otherKeyOrOtherApp_isFalse", async () => {
      const { charter, ledger, at } = await attested();
      const other = await (await createApp(charter, { salt: id("other") })).getAddress();
      expect(await ledger.isLive(at, walletOf("other").address)).to.equal(false);
      expect(await ledger.isLive(other, key.address)).to.equal(false);
    });

    it("isLive_proofExpired_isFalseInThatSecond", async () => {
      const { ledger, at, time } = await attested();
      const { expiresAt } = await ledger.instance(at, key.address);
      await time.increaseTo(expiresAt - 1n);
      expect(await ledger.isLive(at, key.address)).to.equal(true);
      await time.increaseTo(expiresAt);
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
      await expect(ledger.requireLive(at, key.address)).to.be.revertedWithCustomError(ledger, "NotLive");
    });

    it("isLive_releaseRevoked_isFalseInTheSameBlock", async () => {
      const { ledger, app, at } = await attested();
      const { blockNumber } = (await (await app.revoke(1)).wait()) ?? {};
      const inBlock = { blockTag: blockNumber ?? 0 };
      expect(await ledger.liveReason(at, key.address, inBlock)).to.equal(Reason.ReleaseNotAllowed);
      expect(await ledger.isLive(at, key.address, { blockTag: (blockNumber ?? 0) - 1 })).to.equal(true);
    });

    it("isLive_predecessorsGraceEnds_isFalseWithoutATransaction", async () => {
      const { ledger, app, at, time } = await attested();
      await app.propose(id("second"), ZeroHash, 1, 60);
      const [pending] = await app.liveReleases();
      await time.increaseTo(Number(pending?.activatesAt) + 59);
      expect(await ledger.isLive(at, key.address)).to.equal(true);
      await time.increaseTo(Number(pending?.activatesAt) + 60);
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.ReleaseNotAllowed);
    });

    it("isLive_policyTightened_isFalseInTheSameBlock", async () => {
      const { charter, ledger } = await scene();
      const cases = [
        [{ kind: SettingKind.TeeKind, key: word(TeeKind.Tdx), value: 0n }, Reason.TeeKindNotAllowed],
        [
          { kind: SettingKind.TcbStatus, key: word(TcbStatus.UpToDate), value: 0n },
          Reason.TcbStatusNotAllowed,
        ],
        [{ kind: SettingKind.OsImage, key: OS_IMAGE, value: 0n }, Reason.OsImageNotAllowed],
        [{ kind: SettingKind.Node, key: PLATFORM, value: 0n }, Reason.NodeNotAllowed],
        [{ kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n }, Reason.ProofMissing],
      ] as const;
      for (const [index, [change, reason]] of cases.entries()) {
        const app = await createApp(charter, { salt: id(`tightened ${index}`) });
        const at = await app.getAddress();
        await attest(charter, at, key);
        const receipt = await (await app.tighten([change])).wait();
        expect(
          await ledger.liveReason(at, key.address, { blockTag: receipt?.blockNumber ?? 0 }),
          `kind ${change.kind}`,
        ).to.equal(reason);
      }
    });

    it("isLive_anotherEntryTightened_staysTrue", async () => {
      const { charter, ledger } = await scene();
      const extra = { kind: SettingKind.Node, key: id("another platform"), value: 1n };
      const app = await createApp(charter, { settings: [...POLICY, extra], salt: id("wider") });
      const at = await app.getAddress();
      await attest(charter, at, key);
      await app.tighten([{ ...extra, value: 0n }]);
      expect(await ledger.isLive(at, key.address)).to.equal(true);
    });

    it("isLive_nodeRetired_isFalseInTheSameBlock", async () => {
      const { charter, ledger, at } = await attested();
      const receipt = await (await charter.nodeRegistry.connect(charter.operator).retire(1)).wait();
      expect(await ledger.liveReason(at, key.address, { blockTag: receipt?.blockNumber ?? 0 })).to.equal(
        Reason.NodeNotAllowed,
      );
    });

    it("isLive_nodeExpired_isFalseUntilTheNodeRenews", async () => {
      const { charter, ledger, at, time } = await scene();
      await register(charter, walletOf("second"), { validUntil: BigInt(await time.latest()) + 100n });
      await attest(charter, at, key, {}, { node: 2 });
      await time.increase(100);
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.NodeNotAllowed);
      await renew(charter, 2, walletOf("second"));
      expect(await ledger.isLive(at, key.address)).to.equal(true);
    });

    it("isLive_afterRevokedHashIsReleasedAgain_staysFalseForTheOldProof", async () => {
      const { ledger, app, at, time } = await attested();
      await app.revoke(1);
      await app.propose(COMPOSE_HASH, ZeroHash, 0, 0);
      await time.increase(3600);
      expect(await app.isReleaseNumberAllowed(2)).to.equal(true);
      // The proof is of release 1, which never runs again.
      expect(await ledger.liveReason(at, key.address)).to.equal(Reason.ReleaseNotAllowed);
    });
  });

  describe("verifiers", () => {
    it("constructor_firstVerifiers_areEmitted", async () => {
      const { charter, ledger } = await scene();
      await expect(ledger.deploymentTransaction())
        .to.emit(ledger, "VerifierChanged")
        .withArgs(
          COMMITTEE,
          ZeroAddress,
          await charter.committeeVerifier.getAddress(),
          charter.governance.address,
        );
      expect(await ledger.appRegistry()).to.equal(await charter.appRegistry.getAddress());
      expect(await ledger.nodeRegistry()).to.equal(await charter.nodeRegistry.getAddress());
    });

    it("setVerifier_callerNotOwner_reverts", async () => {
      const { charter, ledger } = await scene();
      await expect(ledger.connect(charter.stranger).setVerifier(COMMITTEE, ZeroAddress))
        .to.be.revertedWithCustomError(ledger, "OwnableUnauthorizedAccount")
        .withArgs(charter.stranger.address);
    });

    it("setVerifier_ofAnotherSystem_reverts", async () => {
      const { charter, ledger } = await scene();
      await expect(ledger.setVerifier(DIRECT, await charter.committeeVerifier.getAddress()))
        .to.be.revertedWithCustomError(ledger, "VerifierMismatch")
        .withArgs(DIRECT, COMMITTEE);
    });
  });

  describe("on a production chain", () => {
    const production = useCharter(async (charter) => {
      await register(charter, walletOf("node key"));
      return { ledger: charter.attestationLedger, at: await (await createApp(charter)).getAddress() };
    }, 1);

    it("attest_simulated_reverts", async () => {
      const { charter, ledger, at } = await production();
      await expect(attest(charter, at, key, { simulated: true }))
        .to.be.revertedWithCustomError(ledger, "SimulatedOnProductionChain")
        .withArgs(1);
      await attest(charter, at, key);
      expect(await ledger.isLive(at, key.address)).to.equal(true);
    });
  });
});
