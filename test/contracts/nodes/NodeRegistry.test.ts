import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { MAX_KEYS_PER_PLATFORM, walletOf } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { placeAcceptingWallet, placeRefusingWallet } from "../support/code.ts";
import { register, renew } from "../support/flows.ts";
import { COMMITTEE, COMPOSE_HASH, DAY, nodeVerdict, PLATFORM, prove, signNode } from "../support/verdicts.ts";

const RETIRE_AFTER = 30n * DAY;

describe("NodeRegistry", () => {
  const key = walletOf("node key");
  const scene = useCharter(async (charter) => ({
    registry: charter.nodeRegistry,
    time: charter.connection.networkHelpers.time,
  }));
  const registered = async () => {
    const prepared = await scene();
    await register(prepared.charter, key);
    return prepared;
  };

  describe("register", () => {
    it("register_allInOrder_storesAndEmitsEverything", async () => {
      const { charter, registry } = await scene();
      const { operator, stranger } = charter;
      const verdict = await nodeVerdict(charter, key, { simulated: true });
      const sent = registry
        .connect(stranger)
        .register(
          COMMITTEE,
          await prove(charter, verdict),
          await signNode(charter, operator, verdict),
          await signNode(charter, key, verdict),
        );
      const block = await (await sent).getBlock();
      const at = BigInt(block?.timestamp ?? 0);
      await expect(sent)
        .to.emit(registry, "NodeRegistered")
        .withArgs(
          1,
          PLATFORM,
          operator.address,
          key.address,
          TeeKind.Tdx,
          TcbStatus.UpToDate,
          true,
          0,
          verdict.evidenceDigest,
          verdict.evidenceBlock,
          at,
          verdict.validUntil,
          stranger.address,
        );
      expect(await registry.node(1)).to.deep.equal([
        operator.address,
        PLATFORM,
        key.address,
        BigInt(TeeKind.Tdx),
        BigInt(TcbStatus.UpToDate),
        true,
        false,
        false,
        verdict.evidenceBlock,
        at,
        verdict.validUntil,
        0n,
      ]);
      expect(await registry.nodesOn(PLATFORM)).to.deep.equal([1n]);
      expect(await registry.nodeCount()).to.equal(1);
      expect(await registry.isActive(1)).to.equal(true);
    });

    it("register_longCollateral_expiresAfterThirtyDays", async () => {
      const { charter, registry, time } = await scene();
      await register(charter, key, { validUntil: BigInt(await time.latest()) + 90n * DAY });
      expect((await registry.node(1)).expiresAt).to.equal(BigInt(await time.latest()) + 30n * DAY);
    });

    it("register_composeHashInNodeEvidence_reverts", async () => {
      const { charter, registry } = await scene();
      await expect(register(charter, key, { composeHash: COMPOSE_HASH }))
        .to.be.revertedWithCustomError(registry, "UnexpectedComposeHash")
        .withArgs(COMPOSE_HASH);
    });

    it("register_statusUnknownOrRevoked_reverts", async () => {
      const { charter, registry } = await scene();
      for (const status of [TcbStatus.Unknown, TcbStatus.Revoked]) {
        await expect(register(charter, key, { status: BigInt(status) }))
          .to.be.revertedWithCustomError(registry, "StatusNotAcceptable")
          .withArgs(status);
      }
    });

    it("register_everyOtherStatus_accepts", async () => {
      const { charter, registry } = await scene();
      const statuses = Object.values(TcbStatus).filter(
        (status) => status !== TcbStatus.Unknown && status !== TcbStatus.Revoked,
      );
      for (const status of statuses) {
        await register(charter, walletOf(`node key ${status}`), {
          status: BigInt(status),
          platformId: id(`platform ${status}`),
        });
      }
      expect(await registry.nodeCount()).to.equal(statuses.length);
    });

    it("register_operatorDidNotSign_reverts", async () => {
      const { charter, registry } = await scene();
      const { operator, stranger } = charter;
      const verdict = await nodeVerdict(charter, key);
      const other = { ...verdict, evidenceDigest: id("other evidence") };
      for (const signature of [
        await signNode(charter, stranger, verdict),
        await signNode(charter, operator, other),
        "0x",
      ]) {
        await expect(register(charter, key, {}, { operator: signature }))
          .to.be.revertedWithCustomError(registry, "BadOperatorSignature")
          .withArgs(operator.address);
      }
    });

    it("register_operatorIsAContractWallet_asksTheWallet", async () => {
      const { charter, registry } = await scene();
      const accepting = await placeAcceptingWallet(charter);
      await register(charter, key, { subject: accepting }, { operator: "0x1234" });
      expect((await registry.node(1)).operator.toLowerCase()).to.equal(accepting);
      const refusing = await placeRefusingWallet(charter);
      await expect(
        register(charter, walletOf("second"), { subject: refusing }, { operator: "0x1234" }),
      ).to.be.revertedWithCustomError(registry, "BadOperatorSignature");
    });

    it("register_keySignedByAnother_reverts", async () => {
      const { charter, registry } = await scene();
      const other = walletOf("other key");
      const verdict = await nodeVerdict(charter, key);
      await expect(register(charter, key, {}, { key: await signNode(charter, other, verdict) }))
        .to.be.revertedWithCustomError(registry, "BadKeySignature")
        .withArgs(key.address, other.address);
      await expect(register(charter, key, {}, { key: "0x" })).to.be.revertedWithCustomError(
        registry,
        "BadKeySignature",
      );
    });

    it("register_keyAlreadyRegistered_reverts", async () => {
      const { charter, registry } = await registered();
      await expect(register(charter, key))
        .to.be.revertedWithCustomError(registry, "KeyInUse")
        .withArgs(key.address, 1);
    });

    it("register_moreKeysThanThePlatformMay_revertsUntilOneRetires", async () => {
      const { charter, registry } = await registered();
      await register(charter, walletOf("second"));
      await expect(register(charter, walletOf("third")))
        .to.be.revertedWithCustomError(registry, "TooManyKeys")
        .withArgs(PLATFORM, MAX_KEYS_PER_PLATFORM);
      await registry.connect(charter.operator).retire(1);
      await register(charter, walletOf("third"));
      expect(await registry.nodesOn(PLATFORM)).to.deep.equal([3n, 2n]);
    });
  });

  describe("verdicts", () => {
    it("register_verdictForAnotherContract_reverts", async () => {
      const { charter, registry } = await scene();
      const ledger = await charter.attestationLedger.getAddress();
      await expect(register(charter, key, { consumer: ledger }))
        .to.be.revertedWithCustomError(registry, "WrongConsumer")
        .withArgs(await registry.getAddress(), ledger);
    });

    it("register_verdictExpired_reverts", async () => {
      const { charter, registry, time } = await scene();
      const next = BigInt(await time.latest()) + 10n;
      await time.setNextBlockTimestamp(next);
      await expect(register(charter, key, { validUntil: next }))
        .to.be.revertedWithCustomError(registry, "VerdictExpired")
        .withArgs(next, next);
    });

    it("register_evidenceOlderThan256Blocks_reverts", async () => {
      const { charter, registry } = await scene();
      const verdict = await nodeVerdict(charter, key);
      await charter.connection.networkHelpers.mine(256);
      const block = verdict.evidenceBlock + 257n;
      await expect(register(charter, key, verdict))
        .to.be.revertedWithCustomError(registry, "EvidenceTooOld")
        .withArgs(verdict.evidenceBlock, block, 256);
    });

    it("register_evidenceOfExactly256Blocks_accepts", async () => {
      const { charter, registry } = await scene();
      const verdict = await nodeVerdict(charter, key);
      await charter.connection.networkHelpers.mine(255);
      await register(charter, key, verdict);
      expect(await registry.nodeCount()).to.equal(1);
    });

    it("register_evidenceOfTheFuture_reverts", async () => {
      const { charter, registry } = await scene();
      const { evidenceBlock } = await nodeVerdict(charter, key);
      // The block that the transaction itself lies in is not known to it either.
      for (const future of [evidenceBlock + 1n, evidenceBlock + 1000n, 2n ** 64n - 1n]) {
        await expect(register(charter, key, { evidenceBlock: future }))
          .to.be.revertedWithCustomError(registry, "EvidenceBlockUnknown")
          .withArgs(future);
      }
    });

    it("register_evidenceOfAnotherFork_reverts", async () => {
      const { charter, registry } = await scene();
      const verdict = await nodeVerdict(charter, key);
      for (const hash of [id("another fork"), ZeroHash]) {
        await expect(register(charter, key, { evidenceBlockHash: hash }))
          .to.be.revertedWithCustomError(registry, "EvidenceBlockMismatch")
          .withArgs(verdict.evidenceBlock, verdict.evidenceBlockHash, hash);
      }
    });

    it("register_proofSystemWithoutVerifier_reverts", async () => {
      const { charter, registry } = await scene();
      for (const system of [ProofSystem.None, ProofSystem.Direct, ProofSystem.Zk]) {
        await expect(register(charter, key, {}, { system: BigInt(system) }))
          .to.be.revertedWithCustomError(registry, "NoVerifier")
          .withArgs(system);
      }
    });

    it("register_proofOfAnotherVerdict_reverts", async () => {
      const { charter } = await scene();
      const verdict = await nodeVerdict(charter, key);
      const proof = await prove(charter, verdict, { ...verdict, status: BigInt(TcbStatus.OutOfDate) });
      await expect(register(charter, key, {}, { proof })).to.be.revertedWithCustomError(
        charter.committeeVerifier,
        "NotAMember",
      );
    });
  });

  describe("verifiers", () => {
    it("setVerifier_removed_refusesItsProofs", async () => {
      const { charter, registry } = await scene();
      const verifier = await charter.committeeVerifier.getAddress();
      expect(await registry.verifierOf(COMMITTEE)).to.equal(verifier);
      const zero = `0x${"0".repeat(40)}`;
      await expect(registry.setVerifier(COMMITTEE, zero))
        .to.emit(registry, "VerifierChanged")
        .withArgs(COMMITTEE, verifier, zero, charter.governance.address);
      await expect(register(charter, key)).to.be.revertedWithCustomError(registry, "NoVerifier");
    });

    it("setVerifier_ofAnotherSystem_reverts", async () => {
      const { charter, registry } = await scene();
      await expect(registry.setVerifier(ProofSystem.Zk, await charter.committeeVerifier.getAddress()))
        .to.be.revertedWithCustomError(registry, "VerifierMismatch")
        .withArgs(ProofSystem.Zk, COMMITTEE);
    });

    it("setVerifier_systemNone_reverts", async () => {
      const { charter, registry } = await scene();
      await expect(registry.setVerifier(ProofSystem.None, await charter.committeeVerifier.getAddress()))
        .to.be.revertedWithCustomError(registry, "NoVerifier")
        .withArgs(ProofSystem.None);
    });

    it("setVerifier_callerNotOwner_reverts", async () => {
      const { charter, registry } = await scene();
      await expect(registry.connect(charter.stranger).setVerifier(COMMITTEE, charter.stranger.address))
        .to.be.revertedWithCustomError(registry, "OwnableUnauthorizedAccount")
        .withArgs(charter.stranger.address);
    });
  });

  describe("renew", () => {
    it("renew_newerEvidence_extendsAndEmitsOldAndNew", async () => {
      const { charter, registry, time } = await registered();
      const before = await registry.node(1);
      await time.increase(DAY / 2n);
      const sent = renew(charter, 1, key, { status: BigInt(TcbStatus.OutOfDate) });
      await sent;
      const after = await registry.node(1);
      expect(after.expiresAt).to.be.greaterThan(before.expiresAt);
      expect(after.attestedAt).to.equal(await time.latest());
      await expect(sent)
        .to.emit(registry, "NodeRenewed")
        .withArgs(
          1,
          TcbStatus.UpToDate,
          TcbStatus.OutOfDate,
          0,
          id(`evidence ${after.evidenceBlock}`),
          after.evidenceBlock,
          after.attestedAt,
          before.expiresAt,
          after.expiresAt,
          charter.governance.address,
        );
    });

    it("renew_afterExpiry_activatesAgain", async () => {
      const { charter, registry, time } = await registered();
      const { expiresAt } = await registry.node(1);
      await time.increaseTo(expiresAt - 1n);
      expect(await registry.isActive(1)).to.equal(true);
      await time.increaseTo(expiresAt);
      expect(await registry.isActive(1)).to.equal(false);
      await renew(charter, 1, key);
      expect(await registry.isActive(1)).to.equal(true);
    });

    it("renew_sameOrOlderEvidence_reverts", async () => {
      const { charter, registry } = await registered();
      const { evidenceBlock } = await registry.node(1);
      const block = await charter.connection.ethers.provider.getBlock(evidenceBlock);
      await expect(renew(charter, 1, key, { evidenceBlock, evidenceBlockHash: block?.hash ?? ZeroHash }))
        .to.be.revertedWithCustomError(registry, "EvidenceNotNewer")
        .withArgs(evidenceBlock, evidenceBlock);
    });

    it("renew_anythingElseChanged_reverts", async () => {
      const { charter, registry } = await registered();
      const other = walletOf("other key");
      await expect(renew(charter, 1, key, { platformId: id("other") }))
        .to.be.revertedWithCustomError(registry, "PlatformChanged")
        .withArgs(PLATFORM, id("other"));
      await expect(renew(charter, 1, key, { subject: charter.stranger.address }))
        .to.be.revertedWithCustomError(registry, "OperatorChanged")
        .withArgs(charter.operator.address, charter.stranger.address);
      await expect(renew(charter, 1, other))
        .to.be.revertedWithCustomError(registry, "KeyChanged")
        .withArgs(key.address, other.address);
      await expect(renew(charter, 1, key, { kind: BigInt(TeeKind.Snp) }))
        .to.be.revertedWithCustomError(registry, "KindChanged")
        .withArgs(TeeKind.Tdx, TeeKind.Snp);
      await expect(renew(charter, 1, key, { simulated: true }))
        .to.be.revertedWithCustomError(registry, "SimulatedChanged")
        .withArgs(false, true);
    });

    it("renew_revokedStatus_revertsAndLeavesTheNodeToExpire", async () => {
      const { charter, registry } = await registered();
      await expect(renew(charter, 1, key, { status: BigInt(TcbStatus.Revoked) }))
        .to.be.revertedWithCustomError(registry, "StatusNotAcceptable")
        .withArgs(TcbStatus.Revoked);
    });

    it("renew_unknownOrRetiredNode_reverts", async () => {
      const { charter, registry } = await registered();
      for (const number of [0, 2]) {
        await expect(renew(charter, number, key))
          .to.be.revertedWithCustomError(registry, "UnknownNode")
          .withArgs(number);
      }
      await registry.connect(charter.operator).retire(1);
      await expect(renew(charter, 1, key))
        .to.be.revertedWithCustomError(registry, "NodeIsRetired")
        .withArgs(1);
    });
  });

  describe("retire", () => {
    it("retire_byOperator_endsTheNodeAndFreesItsKey", async () => {
      const { charter, registry } = await registered();
      await expect(registry.connect(charter.operator).retire(1))
        .to.emit(registry, "NodeRetired")
        .withArgs(1, PLATFORM, charter.operator.address, charter.operator.address);
      expect(await registry.isActive(1)).to.equal(false);
      expect((await registry.node(1)).retired).to.equal(true);
      expect(await registry.nodesOn(PLATFORM)).to.deep.equal([]);
      await register(charter, key);
      expect(await registry.nodesOn(PLATFORM)).to.deep.equal([2n]);
    });

    it("retire_byStrangerBeforeThirtyDaysOfExpiry_reverts", async () => {
      const { charter, registry, time } = await registered();
      const { expiresAt } = await registry.node(1);
      await time.setNextBlockTimestamp(expiresAt + RETIRE_AFTER - 1n);
      await expect(registry.connect(charter.stranger).retire(1))
        .to.be.revertedWithCustomError(registry, "NotOperator")
        .withArgs(charter.operator.address, charter.stranger.address);
      await time.setNextBlockTimestamp(expiresAt + RETIRE_AFTER);
      await registry.connect(charter.stranger).retire(1);
      expect((await registry.node(1)).retired).to.equal(true);
    });

    it("retire_unknownOrTwice_reverts", async () => {
      const { charter, registry } = await registered();
      await expect(registry.retire(7)).to.be.revertedWithCustomError(registry, "UnknownNode").withArgs(7);
      await registry.connect(charter.operator).retire(1);
      await expect(registry.connect(charter.operator).retire(1))
        .to.be.revertedWithCustomError(registry, "NodeIsRetired")
        .withArgs(1);
    });
  });

  it("node_unknown_reverts", async () => {
    const { registry } = await scene();
    for (const number of [0, 1]) {
      await expect(registry.node(number))
        .to.be.revertedWithCustomError(registry, "UnknownNode")
        .withArgs(number);
      expect(await registry.isActive(number)).to.equal(false);
    }
  });

  describe("on a production chain", () => {
    const production = useCharter(async () => ({}), 1);

    it("register_simulated_reverts", async () => {
      const { charter } = await production();
      await expect(register(charter, key, { simulated: true }))
        .to.be.revertedWithCustomError(charter.nodeRegistry, "SimulatedOnProductionChain")
        .withArgs(1);
      await register(charter, key);
    });
  });
});
