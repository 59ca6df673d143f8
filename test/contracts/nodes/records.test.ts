import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";

import { ProofSystem, TcbStatus } from "../../../protocol/words/enums.ts";
import type { VerifierDouble } from "../../../types/typechain/index.ts";
import { walletOf, type Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { placeReenteringWallet } from "../support/code.ts";
import { register, renew } from "../support/flows.ts";
import { standingOf } from "../support/standings.ts";
import { DAY, doubleProof, nodeVerdict, PLATFORM, signNode, type Verdict } from "../support/verdicts.ts";

const DIRECT = BigInt(ProofSystem.Direct);
const FAR = 3_000_000_000n;
const RECORD = 7n;

describe("NodeRegistry: nodes that rest on a record", () => {
  const key = walletOf("node key");
  const scene = useCharter(async (charter) => {
    const deployed = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
    const direct = deployed as unknown as VerifierDouble;
    await charter.nodeRegistry.setVerifier(DIRECT, await direct.getAddress());
    await direct.tell(RECORD, standingOf({ validUntil: FAR }));
    const registry = charter.nodeRegistry;
    await registerDirect(charter);
    return { registry, direct, time: charter.connection.networkHelpers.time };
  });

  async function registerDirect(charter: Charter, record = RECORD, over: Partial<Verdict> = {}) {
    const verdict = await nodeVerdict(charter, key, over);
    const proof = doubleProof(verdict, record, FAR);
    return register(charter, key, verdict, { system: DIRECT, proof });
  }

  async function renewDirect(charter: Charter, record: bigint, over: Partial<Verdict> = {}) {
    const verdict = await nodeVerdict(charter, key, over);
    const signature = await signNode(charter, key, verdict);
    return charter.nodeRegistry.renew(1, DIRECT, doubleProof(verdict, record, FAR), signature);
  }

  it("register_directProof_keepsItsRecordAndLastsAsTheCertificateDoes", async () => {
    const { registry, time } = await scene();
    const node = await registry.node(1);
    expect(node.record).to.equal(RECORD);
    // The verdict's collateral ends in a day: collateral is asked for at each use, so the node outlasts it.
    expect(node.expiresAt).to.equal(BigInt(await time.latest()) + 30n * DAY);
    expect(await registry.isActive(1)).to.equal(true);
    expect(await registry.platformOf(1)).to.deep.equal([PLATFORM, node.operator]);
  });

  it("isActive_collateralEnded_isSuspendedAndHealsByItself", async () => {
    const { registry, direct, time } = await scene();
    const end = BigInt(await time.latest()) + 100n;
    await direct.tell(RECORD, standingOf({ validUntil: end }));
    await time.increaseTo(end - 1n);
    expect(await registry.isActive(1)).to.equal(true);
    await time.increaseTo(end);
    expect(await registry.isActive(1)).to.equal(false);
    // What it is and who runs it can be asked of a node of any state.
    expect((await registry.platformOf(1)).platformId).to.equal(PLATFORM);
    await direct.tell(RECORD, standingOf({ validUntil: end + DAY }));
    expect(await registry.isActive(1)).to.equal(true);
  });

  it("isActive_stale_countsForTheReviewAlone", async () => {
    const { registry, direct, time } = await scene();
    const review = await registry.REVIEW_SECONDS();
    const since = BigInt(await time.latest());
    await direct.tell(RECORD, standingOf({ validUntil: FAR, staleSince: since }));
    await time.increaseTo(since + review - 1n);
    expect(await registry.isActive(1)).to.equal(true);
    await time.increaseTo(since + review);
    expect(await registry.isActive(1)).to.equal(false);
    await direct.tell(RECORD, standingOf({ validUntil: FAR }));
    expect(await registry.isActive(1)).to.equal(true);
  });

  it("isActive_revokedOrStatusGone_isFalseInTheSameBlock", async () => {
    const { registry, direct, time } = await scene();
    const since = BigInt(await time.latest());
    for (const told of [
      standingOf({ validUntil: FAR, revoked: true }),
      standingOf({ validUntil: FAR, revoked: true, staleSince: since }),
      standingOf({ validUntil: FAR, status: TcbStatus.Revoked }),
      standingOf({ validUntil: FAR, status: TcbStatus.Unknown }),
    ]) {
      const receipt = await (await direct.tell(RECORD, told)).wait();
      expect(await registry.isActive(1, { blockTag: receipt?.blockNumber ?? 0 })).to.equal(false);
      await direct.tell(RECORD, standingOf({ validUntil: FAR }));
      expect(await registry.isActive(1)).to.equal(true);
    }
  });

  it("isActive_recordThatNobodyKnows_isFalse", async () => {
    const { charter, registry } = await scene();
    await renewDirect(charter, 99n);
    expect(await registry.isActive(1)).to.equal(false);
  });

  it("isActive_verifierReplacedOrRemoved_itsRecordsCountNoMore", async () => {
    const { charter, registry, direct } = await scene();
    const another = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
    const other = another as unknown as VerifierDouble;
    // The other one knows a record of the same number: it is of another platform.
    await other.tell(RECORD, standingOf({ validUntil: FAR }));
    for (const verifier of [await other.getAddress(), ZeroAddress, await direct.getAddress()]) {
      await registry.setVerifier(DIRECT, verifier);
      expect(await registry.isActive(1), verifier).to.equal(false);
    }
    await renewDirect(charter, RECORD);
    expect(await registry.isActive(1)).to.equal(true);
  });

  it("register_recordOfAnotherSystem_reverts", async () => {
    const { charter, registry } = await scene();
    const zk = await charter.connection.ethers.deployContract("VerifierDouble", [BigInt(ProofSystem.Zk)]);
    await registry.setVerifier(ProofSystem.Zk, await zk.getAddress());
    const other = walletOf("other");
    const verdict = await nodeVerdict(charter, other);
    const options = { system: BigInt(ProofSystem.Zk), proof: doubleProof(verdict, RECORD) };
    await expect(register(charter, other, verdict, options))
      .to.be.revertedWithCustomError(registry, "UnexpectedRecord")
      .withArgs(ProofSystem.Zk, RECORD);
  });

  describe("invalidate", () => {
    it("invalidate_collateralOfNowRefuses_takesTheNodeOutUntilItIsRenewed", async () => {
      const { charter, registry, direct } = await scene();
      await direct.tell(RECORD, standingOf({ validUntil: FAR, status: TcbStatus.Revoked }));
      await expect(registry.connect(charter.stranger).invalidate(1))
        .to.emit(registry, "NodeInvalidated")
        .withArgs(1, RECORD, TcbStatus.Revoked, charter.stranger.address);
      expect((await registry.node(1)).invalidated).to.equal(true);
      // Better collateral alone does not bring it back.
      await direct.tell(RECORD, standingOf({ validUntil: FAR }));
      expect(await registry.isActive(1)).to.equal(false);
      await renewDirect(charter, RECORD);
      expect((await registry.node(1)).invalidated).to.equal(false);
      expect(await registry.isActive(1)).to.equal(true);
    });

    it("invalidate_certificateRevoked_takesTheNodeOut", async () => {
      const { registry, direct } = await scene();
      await direct.tell(RECORD, standingOf({ validUntil: FAR, revoked: true }));
      await registry.invalidate(1);
      expect((await registry.node(1)).invalidated).to.equal(true);
    });

    it("invalidate_collateralMerelyEndedOrStale_reverts", async () => {
      const { registry, direct, time } = await scene();
      const now = BigInt(await time.latest());
      for (const status of [TcbStatus.UpToDate, TcbStatus.Revoked]) {
        for (const [validUntil, staleSince] of [
          [now, 0n],
          [FAR, now],
          [now, now],
        ] as const) {
          await direct.tell(RECORD, standingOf({ validUntil, staleSince, status }));
          await expect(registry.invalidate(1))
            .to.be.revertedWithCustomError(registry, "CollateralNotCurrent")
            .withArgs(validUntil, staleSince);
        }
      }
      expect((await registry.node(1)).invalidated).to.equal(false);
    });

    it("invalidate_nodeMerelyExpired_reverts", async () => {
      const { registry, time } = await scene();
      await time.increaseTo((await registry.node(1)).expiresAt);
      expect(await registry.isActive(1)).to.equal(false);
      await expect(registry.invalidate(1))
        .to.be.revertedWithCustomError(registry, "NodeStillValid")
        .withArgs(1, TcbStatus.UpToDate);
    });

    it("invalidate_statusThatAppsJudge_reverts", async () => {
      const { registry, direct } = await scene();
      for (const status of [
        TcbStatus.UpToDate,
        TcbStatus.OutOfDate,
        TcbStatus.OutOfDateConfigurationNeeded,
      ]) {
        await direct.tell(RECORD, standingOf({ validUntil: FAR, status }));
        await expect(registry.invalidate(1))
          .to.be.revertedWithCustomError(registry, "NodeStillValid")
          .withArgs(1, status);
      }
    });

    it("invalidate_recordOfAReplacedVerifier_reverts", async () => {
      const { charter, registry } = await scene();
      const other = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
      await registry.setVerifier(DIRECT, await other.getAddress());
      await expect(registry.invalidate(1))
        .to.be.revertedWithCustomError(registry, "CollateralNotCurrent")
        .withArgs(0, 0);
    });

    it("invalidate_nodeWithoutRecordUnknownOrRetired_reverts", async () => {
      const { charter, registry } = await scene();
      await register(charter, walletOf("second"));
      await expect(registry.invalidate(2))
        .to.be.revertedWithCustomError(registry, "NodeHasNoRecord")
        .withArgs(2);
      await expect(registry.invalidate(3)).to.be.revertedWithCustomError(registry, "UnknownNode").withArgs(3);
      await registry.connect(charter.operator).retire(1);
      await expect(registry.invalidate(1))
        .to.be.revertedWithCustomError(registry, "NodeIsRetired")
        .withArgs(1);
    });
  });
});

describe("NodeRegistry: who may enter a node", () => {
  const key = walletOf("node key");
  const scene = useCharter(({ nodeRegistry }) => Promise.resolve({ registry: nodeRegistry }));

  it("register_sentByTheOperator_needsNoSignatureOfIts", async () => {
    const { charter, registry } = await scene();
    const { operator, stranger } = charter;
    await expect(register(charter, key, {}, { operator: "0x", from: stranger }))
      .to.be.revertedWithCustomError(registry, "BadOperatorSignature")
      .withArgs(operator.address);
    await register(charter, key, {}, { operator: "0x", from: operator });
    expect((await registry.node(1)).operator).to.equal(operator.address);
  });

  it("register_othersQuoteUnderOnesOwnName_reverts", async () => {
    const { charter, registry } = await scene();
    const { operator, stranger } = charter;
    const verdict = await nodeVerdict(charter, key);
    const signature = await signNode(charter, key, verdict);
    // Whoever sees the transaction first has its proof and both signatures; the verdict names the operator.
    await expect(
      register(
        charter,
        key,
        { subject: stranger.address },
        { operator: "0x", key: signature, from: stranger },
      ),
    ).to.be.revertedWithCustomError(registry, "BadKeySignature");
    // Sent unchanged by somebody else it does what was meant.
    await register(charter, key, verdict, { from: stranger });
    expect((await registry.node(1)).operator).to.equal(operator.address);
  });

  it("register_replayedFromAnotherChainOrRegistry_reverts", async () => {
    const { charter, registry } = await scene();
    const { operator, governance, chainId } = charter;
    const verdict = await nodeVerdict(charter, key);
    const other = await charter.connection.ethers.deployContract("NodeRegistry", [governance.address, 2, []]);
    const at = { registry: await other.getAddress() };
    for (const elsewhere of [{ chainId: Number(chainId) + 1 }, at]) {
      const [byOperator, byKey] = [
        await signNode(charter, operator, verdict, elsewhere),
        await signNode(charter, key, verdict, elsewhere),
      ];
      await expect(register(charter, key, verdict, { operator: byOperator })).to.be.revertedWithCustomError(
        registry,
        "BadOperatorSignature",
      );
      await expect(register(charter, key, verdict, { key: byKey })).to.be.revertedWithCustomError(
        registry,
        "BadKeySignature",
      );
    }
    await register(charter, key, verdict);
  });

  it("register_operatorsWalletCallsBack_changesNothing", async () => {
    const { charter, registry } = await scene();
    await register(charter, key);
    const expired = (await registry.node(1)).expiresAt + 30n * DAY;
    await charter.connection.networkHelpers.time.increaseTo(expired);
    const retire = registry.interface.encodeFunctionData("retire", [1]);
    const wallet = await placeReenteringWallet(charter, await registry.getAddress(), retire);
    // Anyone may retire node 1 by now, so only that a signature is asked for by a static call stops this.
    await register(charter, walletOf("second"), { subject: wallet }, { operator: "0x1234" });
    expect((await registry.node(1)).retired).to.equal(false);
    expect(await registry.nodesOn(PLATFORM)).to.deep.equal([1n, 2n]);
    await charter.stranger.sendTransaction({ to: wallet });
    expect((await registry.node(1)).retired).to.equal(true);
  });

  it("register_sameKeyOnAnotherPlatform_isAnotherNode", async () => {
    const { charter, registry } = await scene();
    await register(charter, key);
    await register(charter, key, { platformId: id("other platform") });
    expect(await registry.nodesOn(id("other platform"))).to.deep.equal([2n]);
  });

  it("register_inARetiredNodesPlace_endsWhatWasKnownOfIt", async () => {
    const { charter } = await scene();
    const registry = await charter.connection.ethers.deployContract("NodeRegistry", [
      charter.governance.address,
      8,
      [await charter.committeeVerifier.getAddress()],
    ]);
    const of = { ...charter, nodeRegistry: registry as unknown as Charter["nodeRegistry"] };
    for (let i = 1; i <= 8; i++) await register(of, walletOf(`key ${i}`));
    await expect(register(of, walletOf("key 9")))
      .to.be.revertedWithCustomError(registry, "TooManyKeys")
      .withArgs(PLATFORM, 8);
    for (const number of [3, 8, 1]) await of.nodeRegistry.connect(charter.operator).retire(number);
    expect(await of.nodeRegistry.nodesOn(PLATFORM)).to.deep.equal([2n, 4n, 5n, 6n, 7n]);
    await expect(register(of, walletOf("key 7")))
      .to.be.revertedWithCustomError(registry, "KeyInUse")
      .withArgs(walletOf("key 7").address, 7);
    const before = await of.nodeRegistry.node(1);
    expect([before.retired, before.key]).to.deep.equal([true, walletOf("key 1").address]);
    await register(of, walletOf("key 3"));
    expect(await of.nodeRegistry.nodesOn(PLATFORM)).to.deep.equal([9n, 2n, 4n, 5n, 6n, 7n]);
    expect((await of.nodeRegistry.node(9)).key).to.equal(walletOf("key 3").address);
    const after = await of.nodeRegistry.node(1);
    expect([after.retired, after.platformId]).to.deep.equal([true, PLATFORM]);
    expect([after.key, after.operator, after.expiresAt]).to.deep.equal([ZeroAddress, ZeroAddress, 0n]);
    expect(await of.nodeRegistry.platformOf(1)).to.deep.equal([PLATFORM, ZeroAddress]);
    expect(await of.nodeRegistry.isActive(1)).to.equal(false);
    for (const send of [
      () => of.nodeRegistry.retire(1),
      () => of.nodeRegistry.invalidate(1),
      () => renew(of, 1, walletOf("key 1")),
    ]) {
      await expect(send()).to.be.revertedWithCustomError(registry, "NodeIsRetired").withArgs(1);
    }
    // Node 3's place is free yet: it is known as it was.
    expect((await of.nodeRegistry.node(3)).key).to.equal(walletOf("key 3").address);
    expect(await of.nodeRegistry.nodesOn(ZeroHash)).to.deep.equal([]);
  });

  it("constructor_noKeysOrMoreThanASlotHolds_reverts", async () => {
    const { charter, registry } = await scene();
    const { ethers } = charter.connection;
    for (const limit of [0, 9]) {
      await expect(ethers.deployContract("NodeRegistry", [charter.governance.address, limit, []]))
        .to.be.revertedWithCustomError(registry, "BadKeyLimit")
        .withArgs(8, limit);
    }
  });

  describe("listed operators", () => {
    it("register_onlyListedOperators_refusesOthersAndTheirRenewals", async () => {
      const { charter, registry } = await scene();
      const { operator, governance } = charter;
      await register(charter, key);
      await expect(registry.requireListedOperators(true))
        .to.emit(registry, "OperatorListChanged")
        .withArgs(false, true, governance.address);
      const refused = (sent: Promise<unknown>) =>
        expect(sent).to.be.revertedWithCustomError(registry, "OperatorNotListed").withArgs(operator.address);
      await refused(register(charter, walletOf("second")));
      const verdict = await nodeVerdict(charter, key);
      const proof = doubleProof(verdict);
      const direct = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
      await registry.setVerifier(DIRECT, await direct.getAddress());
      const signature = await signNode(charter, key, verdict);
      await refused(registry.renew(1, DIRECT, proof, signature));
      await expect(registry.listOperators([operator.address], true))
        .to.emit(registry, "OperatorListed")
        .withArgs(operator.address, true, governance.address);
      expect(await registry.isOperatorListed(operator.address)).to.equal(true);
      await registry.renew(1, DIRECT, proof, signature);
      await registry.listOperators([operator.address], false);
      await refused(register(charter, walletOf("second")));
      await registry.requireListedOperators(false);
      await register(charter, walletOf("second"));
    });

    it("listOperators_again_emitsNothing_andByAStranger_reverts", async () => {
      const { charter, registry } = await scene();
      const { operator, stranger } = charter;
      await registry.listOperators([operator.address], true);
      await expect(registry.listOperators([operator.address], true)).to.not.emit(registry, "OperatorListed");
      const asStranger = registry.connect(stranger);
      for (const send of [
        () => asStranger.listOperators([stranger.address], true),
        () => asStranger.requireListedOperators(true),
      ]) {
        await expect(send())
          .to.be.revertedWithCustomError(registry, "OwnableUnauthorizedAccount")
          .withArgs(stranger.address);
      }
    });
  });
});
