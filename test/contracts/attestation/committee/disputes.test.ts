import { expect } from "chai";
import { AbiCoder, id, keccak256, ZeroHash, type Wallet } from "ethers";

import { encodeFirstQuote } from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { reportData, type Binding } from "../../../../protocol/evidence/reportData.ts";
import { packFacts, type LeafFacts } from "../../../../protocol/state/instanceWord.ts";
import { TcbStatus, TeeKind } from "../../../../protocol/words/enums.ts";
import {
  fromHex,
  parseAddress,
  parseBytes32,
  type Bytes32,
  type Hex,
} from "../../../../protocol/words/hex.ts";
import type { CommitteeDisputes } from "../../../../types/typechain/index.ts";
import { SIMULATED_IMAGE } from "../../../../worker/tee/simulator/measurements.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { AT, pki, platform, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { leafTree, signBatch, type Leaf } from "../../support/batches.ts";
import { deployContracts, walletOf, type Connection } from "../../support/charter.ts";
import { createApp, register } from "../../support/flows.ts";
import { COMPOSE_HASH, instanceVerdict, signaturesOf, type Verdict } from "../../support/verdicts.ts";
import { caKeyOf, deployOnDouble, openChainAt } from "../dcap/support/verifier.ts";

const Contradiction = { None: 0, Platform: 1, Measurement: 2, Binding: 3 } as const;
const OTHER_COMPOSE = id("another compose");
const PADDING = "00".repeat(15);
const V1 = fromHex(`0x01${COMPOSE_HASH.slice(2)}${PADDING}`);
const key = walletOf("instance key");
const victim = walletOf("victim");

/** The words that the first half of the report data is the hash of. */
const preimageOf = (binding: Binding): string =>
  AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "uint256", "address", "address", "address", "uint64", "bytes32"],
    [
      id(`charter.${binding.purpose}.v1`),
      binding.chainId,
      binding.consumer,
      binding.subject,
      binding.key,
      binding.blockNumber,
      binding.blockHash,
    ],
  );

describe("CommitteeDisputes", () => {
  let connection: Connection;
  before(async () => {
    connection = await openChainAt(AT);
  });
  after(async () => connection.close());

  async function deployed() {
    const charter = await deployContracts(connection);
    const { collateral, verifier } = await deployOnDouble(connection, {
      at: AT,
      caKey: caKeyOf(await quoteOf()),
      simulated: true,
    });
    const disputes = (await connection.ethers.deployContract("CommitteeDisputes", [
      await charter.committeeVerifier.getAddress(),
      await verifier.getAddress(),
      await charter.attestationLedger.getAddress(),
    ])) as unknown as CommitteeDisputes;
    await charter.committeeVerifier.setDisputes(await disputes.getAddress());
    const app = await createApp(charter);
    // Node 1 is the machine that the evidence comes from, node 2 another one.
    for (const platformId of [platform.platformId, id("another platform")])
      await register(charter, walletOf(`node on ${platformId}`), {
        platformId,
        validUntil: BigInt(AT) + 10n ** 6n,
      });
    const image = {
      osImageHash: id("os image"),
      measurementDigest: SIMULATED_IMAGE.measurementDigest,
      pinnedMeasurementDigest: SIMULATED_IMAGE.pinnedMeasurementDigest,
      advisoriesDigest: ZeroHash,
    };
    await charter.attestationLedger.keepImage(image);
    await charter.attestationLedger.keepImage({ ...image, measurementDigest: id("another image") });
    const block = await connection.ethers.provider.getBlock("latest");
    const binding: Binding = {
      purpose: "instance",
      chainId: 31_337,
      consumer: parseAddress((await charter.attestationLedger.getAddress()).toLowerCase()),
      subject: parseAddress((await app.getAddress()).toLowerCase()),
      key: parseAddress(key.address.toLowerCase()),
      blockNumber: BigInt(block?.number ?? 0),
      blockHash: (block?.hash ?? "") as Bytes32,
    };
    return { charter, collateral, dcap: verifier, disputes, app, binding };
  }
  const scene = async () => connection.networkHelpers.loadFixture(deployed);
  type Scene = Awaited<ReturnType<typeof scene>>;

  /** A TD's quote over this binding, as DcapVerifier takes it. */
  async function quoteOver(
    binding: Binding,
    mrConfigId: Uint8Array | null = V1,
    on = platform,
  ): Promise<Hex> {
    const td = new SimulatedTdx(on, mrConfigId === null ? {} : { mrConfigId });
    const { quote } = await td.quote(fromHex(reportData(binding)));
    return encodeFirstQuote(fromHex(quote));
  }

  /** What an honest signer says of this evidence, changed by `over`. */
  async function verdictOn(
    { charter, dcap, binding }: Scene,
    quote: Hex,
    over: Partial<Verdict> = {},
  ): Promise<Verdict> {
    const found = await dcap.verifyQuote.staticCall(quote);
    return instanceVerdict(charter, binding.subject, key, {
      evidenceBlock: binding.blockNumber,
      evidenceBlockHash: binding.blockHash,
      platformId: found.platformId,
      measurementDigest: found.measurementDigest,
      pinnedMeasurementDigest: found.pinnedMeasurementDigest,
      kind: found.kind,
      status: found.status,
      advisoriesDigest: found.advisoriesDigest,
      evidenceDigest: found.evidenceDigest,
      simulated: true,
      ...over,
    });
  }

  const signersOf = ({ charter }: Scene): [Wallet, Wallet] => charter.members.slice(0, 2) as [Wallet, Wallet];

  interface Brought {
    readonly quote?: Hex;
    readonly preimage?: string;
  }

  /** Two members sign this verdict; somebody brings the evidence. */
  async function dispute(here: Scene, verdict: Verdict, quote: Hex, { preimage = "0x" }: Brought = {}) {
    const signatures = await signaturesOf(here.charter, verdict, signersOf(here));
    return here.disputes.connect(here.charter.stranger).disputeVerdict(verdict, signatures, quote, preimage);
  }

  async function expectMarked(here: Scene, sent: Promise<unknown>, verdict: Verdict, what: number) {
    const { charter, disputes } = here;
    const signers = signersOf(here).map(({ address }) => address);
    await expect(sent)
      .to.emit(disputes, "Disputed")
      .withArgs(
        verdict.evidenceDigest,
        await charter.committeeVerifier.verdictDigest(verdict),
        what,
        signers,
        charter.stranger.address,
      );
    for (const signer of signers) expect(await charter.committeeVerifier.isMarked(signer)).to.equal(true);
    expect(await charter.committeeVerifier.isMarked(charter.members[2]?.address ?? "")).to.equal(false);
  }

  async function expectNothingMarked({ charter }: Scene) {
    for (const { address } of charter.members)
      expect(await charter.committeeVerifier.isMarked(address)).to.equal(false);
  }

  const lies: Record<string, readonly [Partial<Verdict>, number]> = {
    anotherPlatform: [{ platformId: id("another platform") }, Contradiction.Platform],
    anotherMeasurement: [{ measurementDigest: id("another image") }, Contradiction.Measurement],
    anotherPinnedMeasurement: [{ pinnedMeasurementDigest: id("another image") }, Contradiction.Measurement],
    anotherKind: [{ kind: BigInt(TeeKind.Snp) }, Contradiction.Measurement],
    anotherComposeHash: [{ composeHash: OTHER_COMPOSE }, Contradiction.Measurement],
    anotherKey: [{ key: victim.address }, Contradiction.Binding],
    anotherApp: [{ subject: victim.address }, Contradiction.Binding],
    anotherConsumer: [{ consumer: victim.address }, Contradiction.Binding],
    anotherBlock: [{ evidenceBlock: 1n }, Contradiction.Binding],
    anotherBlockHash: [{ evidenceBlockHash: id("another fork") }, Contradiction.Binding],
    gpuEvidenceThatIsNotBound: [{ gpuDigest: id("GPU evidence") }, Contradiction.Binding],
  };
  for (const [name, [lie, what]] of Object.entries(lies)) {
    it(`disputeVerdict_${name}_marksWhoSigned`, async () => {
      const here = await scene();
      const quote = await quoteOver(here.binding);
      const verdict = await verdictOn(here, quote, lie);
      await expectMarked(here, dispute(here, verdict, quote), verdict, what);
    });
  }

  it("disputeVerdict_honest_marksNobody", async () => {
    const here = await scene();
    for (const quote of [
      await quoteOver(here.binding),
      await quoteOver(here.binding, null),
      await quoteOver({ ...here.binding, gpuDigest: parseBytes32(id("GPU evidence")) }),
    ]) {
      const verdict = await verdictOn(here, quote);
      await expect(dispute(here, verdict, quote))
        .to.be.revertedWithCustomError(here.disputes, "NoContradiction")
        .withArgs(verdict.evidenceDigest);
    }
    await expectNothingMarked(here);
  });

  it("disputeVerdict_anotherStatusAdvisoriesOrValidity_marksNobody", async () => {
    const here = await scene();
    const quote = await quoteOver(here.binding);
    for (const over of [
      { status: BigInt(TcbStatus.OutOfDate) },
      { status: BigInt(TcbStatus.OutOfDate), advisoriesDigest: id("advisories") },
      { advisoriesDigest: id("advisories") },
      { validUntil: 1n },
      // The image's name and the test root are not in the evidence.
      { osImageHash: id("another name") },
    ]) {
      const verdict = await verdictOn(here, quote, over);
      await expect(dispute(here, verdict, quote)).to.be.revertedWithCustomError(
        here.disputes,
        "NoContradiction",
      );
    }
    // Nor does the day that the collateral changes.
    const verdict = await verdictOn(here, quote);
    await here.collateral.setJudgement(TcbStatus.OutOfDate, id("advisories"), AT + 86_400, 7, 4);
    await expect(dispute(here, verdict, quote)).to.be.revertedWithCustomError(
      here.disputes,
      "NoContradiction",
    );
    await expectNothingMarked(here);
  });

  it("disputeVerdict_otherEvidenceThatNamesTheKey_marksNobody", async () => {
    const here = await scene();
    const verdict = await verdictOn(here, await quoteOver(here.binding));
    const elsewhere = simulatedPlatform(pki, { name: "the attacker's" });
    for (const quote of [
      // The very same TD on another machine, a TD of other code, another block: each binds the victim's key.
      await quoteOver(here.binding, V1, elsewhere),
      await quoteOver(here.binding, fromHex(`0x01${OTHER_COMPOSE.slice(2)}${PADDING}`)),
      await quoteOver({ ...here.binding, blockNumber: here.binding.blockNumber - 1n }),
    ]) {
      await expect(dispute(here, verdict, quote)).to.be.revertedWithCustomError(
        here.disputes,
        "OtherEvidence",
      );
    }
    await expectNothingMarked(here);
  });

  it("disputeVerdict_aQuoteThatDoesNotVerify_marksNobody", async () => {
    const here = await scene();
    const quote = await quoteOver(here.binding);
    const lie = await verdictOn(here, quote, lies.anotherKey?.[0]);
    const last = quote.slice(-2) === "00" ? "01" : "00";
    const forged = `${quote.slice(0, -2)}${last}` as Hex;
    await expect(dispute(here, lie, forged)).to.be.revertedWithCustomError(here.dcap, "PckSignatureInvalid");
    await expectNothingMarked(here);
  });

  it("disputeVerdict_sameSignedPartUnderAnotherSignature_isTheSameEvidence", async () => {
    const here = await scene();
    // ECDSA of the simulator is randomized: two quotes of one report.
    const [one, other] = [await quoteOver(here.binding), await quoteOver(here.binding)];
    expect(one).to.not.equal(other);
    const verdict = await verdictOn(here, one, lies.anotherKey?.[0]);
    await expectMarked(here, dispute(here, verdict, other), verdict, Contradiction.Binding);
  });

  it("disputeVerdict_aNodesVerdict_isComparedAsANodes", async () => {
    const here = await scene();
    const operator = parseAddress(here.charter.operator.address.toLowerCase());
    const consumer = parseAddress((await here.charter.nodeRegistry.getAddress()).toLowerCase());
    const binding: Binding = { ...here.binding, purpose: "node", subject: operator, consumer };
    const quote = await quoteOver(binding);
    const honest = await verdictOn(here, quote, { consumer, subject: operator, composeHash: ZeroHash });
    await expect(dispute(here, honest, quote)).to.be.revertedWithCustomError(
      here.disputes,
      "NoContradiction",
    );
    const lie = { ...honest, subject: victim.address };
    await expectMarked(here, dispute(here, lie, quote), lie, Contradiction.Binding);
  });

  it("disputeVerdict_nodeEvidenceForAnInstance_marksWhoSigned", async () => {
    const here = await scene();
    const quote = await quoteOver({ ...here.binding, purpose: "node" });
    const verdict = await verdictOn(here, quote);
    await expectMarked(here, dispute(here, verdict, quote), verdict, Contradiction.Binding);
  });

  describe("compose hash", () => {
    const v2 = (hash: string, app: string) => `0x${hash.slice(2)}${app.slice(2)}02${"55".repeat(32)}`;
    const idOf = (preimage: string) => fromHex(`0x02${keccak256(preimage).slice(2)}${PADDING}`);

    it("disputeVerdict_mrConfigIdOfVersion2_isComparedByItsPreimage", async () => {
      const here = await scene();
      const preimage = v2(OTHER_COMPOSE, here.binding.subject);
      const quote = await quoteOver(here.binding, idOf(preimage));
      const lie = await verdictOn(here, quote);
      // Without the preimage nothing says which compose hash it is.
      await expect(dispute(here, lie, quote)).to.be.revertedWithCustomError(here.disputes, "NoContradiction");
      for (const other of [v2(COMPOSE_HASH, here.binding.subject), preimage.slice(0, -2), "0x00"]) {
        await expect(dispute(here, lie, quote, { preimage: other })).to.be.revertedWithCustomError(
          here.disputes,
          "BadMrConfigIdPreimage",
        );
      }
      const honest = await verdictOn(here, quote, { composeHash: OTHER_COMPOSE });
      await expect(dispute(here, honest, quote, { preimage })).to.be.revertedWithCustomError(
        here.disputes,
        "NoContradiction",
      );
      await expectMarked(here, dispute(here, lie, quote, { preimage }), lie, Contradiction.Measurement);
    });

    it("disputeVerdict_mrConfigIdZeroOrOfVersion3_saysNothingOfTheComposeHash", async () => {
      const here = await scene();
      for (const mrConfigId of [
        null,
        fromHex(`0x03${OTHER_COMPOSE.slice(2)}${PADDING}`),
        fromHex(`0x01${OTHER_COMPOSE.slice(2)}${"00".repeat(14)}01`),
      ]) {
        const quote = await quoteOver(here.binding, mrConfigId);
        const verdict = await verdictOn(here, quote);
        await expect(dispute(here, verdict, quote)).to.be.revertedWithCustomError(
          here.disputes,
          "NoContradiction",
        );
      }
    });
  });

  describe("signatures", () => {
    it("disputeVerdict_withoutOrWithMalformedSignatures_reverts", async () => {
      const here = await scene();
      const quote = await quoteOver(here.binding);
      const lie = await verdictOn(here, quote, lies.anotherKey?.[0]);
      await expect(here.disputes.disputeVerdict(lie, [], quote, "0x")).to.be.revertedWithCustomError(
        here.disputes,
        "NoSignatures",
      );
      await expect(here.disputes.disputeVerdict(lie, ["0x1234"], quote, "0x")).to.be.revertedWithCustomError(
        here.disputes,
        "ECDSAInvalidSignatureLength",
      );
      await expectNothingMarked(here);
    });

    it("disputeVerdict_withSignaturesOverAnotherStatement_marksNoMember", async () => {
      const here = await scene();
      const quote = await quoteOver(here.binding);
      const honest = await verdictOn(here, quote);
      const lie = { ...honest, ...lies.anotherKey?.[0] };
      // Honest signatures, brought for a lie that nobody signed: they recover to keys of nobody.
      const signatures = await signaturesOf(here.charter, honest, signersOf(here));
      await here.disputes.disputeVerdict(lie, signatures, quote, "0x");
      await expectNothingMarked(here);
    });

    it("disputeVerdict_disputesNotNamedByTheVerifier_marksNobody", async () => {
      const here = await scene();
      await here.charter.committeeVerifier.setDisputes(here.charter.governance.address);
      const quote = await quoteOver(here.binding);
      const lie = await verdictOn(here, quote, lies.anotherKey?.[0]);
      await expect(dispute(here, lie, quote)).to.be.revertedWithCustomError(
        here.charter.committeeVerifier,
        "NotDisputes",
      );
    });
  });

  describe("leaves", () => {
    const factsOf = ({ binding }: Scene, over: Partial<LeafFacts> = {}): LeafFacts => ({
      release: 1,
      node: 1,
      image: 1,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      simulated: true,
      gpu: false,
      combines: false,
      evidenceBlock: binding.blockNumber,
      expiresAt: AT + 10_000,
      ...over,
    });

    interface LeafCase {
      readonly facts?: Partial<LeafFacts>;
      readonly leaf?: Partial<Leaf>;
      /** What the evidence really binds, where it is another thing than the leaf says. */
      readonly bound?: Partial<Binding>;
      readonly mrConfigId?: Uint8Array | null;
      readonly claimPreimage?: string;
      /** What the batch says of its oldest block. */
      readonly blockHash?: string;
    }

    /** Two members sign a batch that has this leaf; somebody brings the evidence. */
    async function disputeOf(
      here: Scene,
      { facts, leaf: over, bound, mrConfigId, claimPreimage, blockHash }: LeafCase,
    ) {
      const { charter, binding, dcap, disputes } = here;
      const real = { ...binding, ...bound };
      const quote = await quoteOver(real, mrConfigId === undefined ? V1 : mrConfigId);
      const { evidenceDigest } = await dcap.verifyQuote.staticCall(quote);
      const leaf: Leaf = {
        app: binding.subject,
        key: binding.key,
        facts: packFacts(factsOf(here, facts)),
        evidenceDigest,
        ...over,
      };
      const others = [1, 2].map((i) => ({ ...leaf, key: walletOf(`leaf ${i}`).address }));
      const tree = leafTree([...others, leaf]);
      const batch = {
        count: 3,
        validUntil: BigInt(AT) + 10_000n,
        minBlock: binding.blockNumber,
        blockHash: blockHash ?? binding.blockHash,
      };
      const statement = { ledger: binding.consumer, root: tree.root, ...batch };
      const signatures = await signBatch(charter, statement, signersOf(here));
      return disputes
        .connect(charter.stranger)
        .disputeLeaf(
          batch,
          leaf,
          tree.proofs[2] ?? [],
          signatures,
          quote,
          "0x",
          claimPreimage ?? preimageOf(real),
        );
    }

    const lyingLeaves: Record<string, readonly [LeafCase, number]> = {
      anotherPlatform: [{ facts: { node: 2 } }, Contradiction.Platform],
      anotherImage: [{ facts: { image: 2 } }, Contradiction.Measurement],
      anotherKind: [{ facts: { kind: TeeKind.Snp } }, Contradiction.Measurement],
      aReleaseThatItsComposeHashNeverWas: [{ facts: { release: 2 } }, Contradiction.Measurement],
      aComposeHashThatWasNeverReleased: [
        { mrConfigId: fromHex(`0x01${OTHER_COMPOSE.slice(2)}${PADDING}`) },
        Contradiction.Measurement,
      ],
      anotherKey: [{ leaf: { key: victim.address } }, Contradiction.Binding],
      anotherKeyInTheEvidence: [
        { bound: { key: parseAddress(victim.address.toLowerCase()) } },
        Contradiction.Binding,
      ],
      anotherAppInTheEvidence: [
        { bound: { subject: parseAddress(victim.address.toLowerCase()) } },
        Contradiction.Binding,
      ],
      anotherLedgerInTheEvidence: [
        { bound: { consumer: parseAddress(victim.address.toLowerCase()) } },
        Contradiction.Binding,
      ],
      anotherChainInTheEvidence: [{ bound: { chainId: 1 } }, Contradiction.Binding],
      evidenceOfANode: [{ bound: { purpose: "node" } }, Contradiction.Binding],
      anotherBlock: [{ facts: { evidenceBlock: 1n } }, Contradiction.Binding],
      aGpuThatIsNotBound: [{ facts: { gpu: true }, claimPreimage: "0x" }, Contradiction.Binding],
    };
    for (const [name, [lie, what]] of Object.entries(lyingLeaves)) {
      it(`disputeLeaf_${name}_marksWhoSigned`, async () => {
        const here = await scene();
        const sent = disputeOf(here, lie);
        const { charter, disputes } = here;
        const signers = signersOf(here).map(({ address }) => address);
        await expect(sent)
          .to.emit(disputes, "Disputed")
          .withArgs(
            (digest: string) => digest !== ZeroHash,
            (statement: string) => statement !== ZeroHash,
            what,
            signers,
            charter.stranger.address,
          );
        for (const signer of signers) expect(await charter.committeeVerifier.isMarked(signer)).to.equal(true);
        expect(await charter.committeeVerifier.isMarked(charter.members[2]?.address ?? "")).to.equal(false);
      });
    }

    const honestLeaves: Record<string, LeafCase> = {
      asItIs: {},
      withoutTheClaim: { claimPreimage: "0x" },
      ofAnotherStatus: { facts: { status: TcbStatus.OutOfDate } },
      ofAnotherExpiry: { facts: { expiresAt: AT + 1 } },
      ofAnImageThatNobodyKept: { facts: { image: 99 } },
      withGpuEvidence: { bound: { gpuDigest: parseBytes32(id("GPU evidence")) }, facts: { gpu: true } },
      withAComposeHashInRtmr3Alone: { mrConfigId: null },
    };
    for (const [name, honest] of Object.entries(honestLeaves)) {
      it(`disputeLeaf_honest_${name}_marksNobody`, async () => {
        const here = await scene();
        await expect(disputeOf(here, honest)).to.be.revertedWithCustomError(here.disputes, "NoContradiction");
        await expectNothingMarked(here);
      });
    }

    it("disputeLeaf_signedOnAnotherFork_marksNobody", async () => {
      const here = await scene();
      const { binding, disputes } = here;
      // There the node's number was another machine's.
      await expect(disputeOf(here, { facts: { node: 2 }, blockHash: id("another fork") }))
        .to.be.revertedWithCustomError(disputes, "OtherFork")
        .withArgs(binding.blockNumber, binding.blockHash, id("another fork"));
      await expectNothingMarked(here);
    });

    it("disputeLeaf_composeHashReleasedAgainSince_marksNobody", async () => {
      const here = await scene();
      const { app } = here;
      await app.revoke(1);
      await app.propose(COMPOSE_HASH, ZeroHash, 0, 0);
      expect((await app.releaseOf(COMPOSE_HASH)).number).to.equal(2);
      await expect(disputeOf(here, {})).to.be.revertedWithCustomError(here.disputes, "NoContradiction");
    });

    it("disputeLeaf_ofAnAddressThatIsNoApp_cannotBeContradictedByIt", async () => {
      const here = await scene();
      // A contract that answers "release 0" to everything, and that the evidence binds.
      const lookalike = parseAddress(`0x${id("lookalike").slice(-40)}`);
      const code = "0x60605ff3";
      await connection.provider.request({ method: "hardhat_setCode", params: [lookalike, code] });
      const lie = { leaf: { app: lookalike }, bound: { subject: lookalike } };
      await expect(disputeOf(here, lie)).to.be.revertedWithCustomError(here.disputes, "NoContradiction");
    });

    it("disputeLeaf_claimThatTheReportDataDoesNotBind_reverts", async () => {
      const here = await scene();
      const other = preimageOf({ ...here.binding, key: parseAddress(victim.address.toLowerCase()) });
      for (const claimPreimage of [other, `${preimageOf(here.binding)}00`, "0x00"]) {
        await expect(disputeOf(here, { claimPreimage })).to.be.revertedWithCustomError(
          here.disputes,
          "BadClaimPreimage",
        );
      }
      await expectNothingMarked(here);
    });

    it("disputeLeaf_ofOtherEvidence_reverts", async () => {
      const here = await scene();
      await expect(
        disputeOf(here, { leaf: { evidenceDigest: id("other evidence") } }),
      ).to.be.revertedWithCustomError(here.disputes, "OtherEvidence");
      await expectNothingMarked(here);
    });
  });
});
