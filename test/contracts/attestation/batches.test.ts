import { expect } from "chai";
import { id, toBeHex, ZeroAddress, ZeroHash, type Wallet } from "ethers";

import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { packFacts, unpackInstance, type LeafFacts } from "../../../protocol/state/instanceWord.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { leafHash, leafTree, type Leaf } from "../support/batches.ts";
import { postBatch, signLeaf } from "../support/batchFlows.ts";
import { COMMITTEE_NOTICE, walletOf, type Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { attestVerdict, createApp, POLICY, register, word } from "../support/flows.ts";
import { COMMITTEE, DAY, doubleProof, instanceVerdict, MEASUREMENT, OS_IMAGE } from "../support/verdicts.ts";

const DIRECT = BigInt(ProofSystem.Direct);
const bit = (system: bigint) => 1n << system;
const FAR = 3_000_000_000n;
/** Of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("AttestationLedger: batches", () => {
  const keys = Array.from({ length: 5 }, (_, i) => walletOf(`instance ${i}`));
  const [first, second] = keys as [Wallet, Wallet];
  const scene = useCharter(async (charter) => {
    const app = await createApp(charter);
    await register(charter, walletOf("node key"), { validUntil: FAR });
    const ledger = charter.attestationLedger;
    const image = [OS_IMAGE, MEASUREMENT, id("pinned measurement"), ZeroHash] as const;
    const [osImageHash, measurementDigest, pinnedMeasurementDigest, advisoriesDigest] = image;
    await ledger.keepImage({ osImageHash, measurementDigest, pinnedMeasurementDigest, advisoriesDigest });
    const { time } = charter.connection.networkHelpers;
    return { ledger, app, at: await app.getAddress(), time };
  });
  type Scene = Awaited<ReturnType<typeof scene>>;

  /** A leaf over the newest block; `over` says what is special about it. */
  async function leafOf(
    { charter, at, time }: Scene,
    key: Wallet,
    over: Partial<LeafFacts> = {},
  ): Promise<Leaf> {
    const evidenceBlock = BigInt(await charter.connection.ethers.provider.getBlockNumber());
    const facts = packFacts({
      release: 1,
      node: 1,
      image: 1,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      simulated: false,
      gpu: false,
      combines: false,
      evidenceBlock,
      expiresAt: Number(BigInt(await time.latest()) + DAY),
      ...over,
    });
    return {
      app: at,
      key: key.address,
      facts,
      evidenceDigest: id(`evidence of ${key.address} at ${evidenceBlock}`),
    };
  }

  const allLeaves = (here: Scene) => Promise.all(keys.map((key) => leafOf(here, key)));

  /** Posts a batch of one leaf, and claims it. */
  async function claimAlone({ charter, ledger }: Scene, leaf: Leaf, key: Wallet) {
    await postBatch(charter, leafHash(leaf));
    return ledger.claim(leaf, [], await signLeaf(charter, key, leaf));
  }

  describe("postBatch", () => {
    it("postBatch_signed_keepsAndEmitsIt", async () => {
      const { charter, ledger, time } = await scene();
      const sent = await postBatch(charter, id("root"), { count: 5 });
      const [validUntil, minBlock, postedBlock] = await ledger.batch(id("root"));
      const block = await charter.connection.ethers.provider.getBlock(minBlock);
      expect(postedBlock).to.equal((await sent.wait())?.blockNumber);
      expect(validUntil).to.be.greaterThan(BigInt(await time.latest()));
      await expect(sent)
        .to.emit(ledger, "BatchPosted")
        .withArgs(
          id("root"),
          5,
          validUntil,
          minBlock,
          block?.hash,
          await charter.committeeVerifier.getAddress(),
          charter.governance.address,
        );
    });

    it("postBatch_emptyOrPastOrKnown_reverts", async () => {
      const { charter, ledger, time } = await scene();
      for (const [root, count] of [
        [ZeroHash, 5],
        [id("root"), 0],
      ] as const) {
        await expect(postBatch(charter, root, { count }))
          .to.be.revertedWithCustomError(ledger, "BadBatch")
          .withArgs(root, count);
      }
      const next = BigInt(await time.latest()) + 10n;
      await time.setNextBlockTimestamp(next);
      await expect(postBatch(charter, id("root"), { validUntil: next }))
        .to.be.revertedWithCustomError(ledger, "VerdictExpired")
        .withArgs(next, next);
      await postBatch(charter, id("root"));
      await expect(postBatch(charter, id("root"))).to.be.revertedWithCustomError(ledger, "BatchKnown");
    });

    it("postBatch_blockOfAnotherForkOrUnknown_reverts", async () => {
      const { charter, ledger } = await scene();
      const newest = BigInt(await charter.connection.ethers.provider.getBlockNumber());
      await expect(
        postBatch(charter, id("root"), { blockHash: id("another fork") }),
      ).to.be.revertedWithCustomError(ledger, "EvidenceBlockMismatch");
      for (const minBlock of [newest + 1n, newest + 1000n]) {
        await expect(postBatch(charter, id("root"), { minBlock }))
          .to.be.revertedWithCustomError(ledger, "EvidenceBlockUnknown")
          .withArgs(minBlock);
      }
    });

    it("postBatch_notSignedOrSignedForAnotherLedgerOrChain_reverts", async () => {
      const { charter, ledger } = await scene();
      const { committeeVerifier } = charter;
      await expect(postBatch(charter, id("root"), {}, { signatures: [] })).to.be.revertedWithCustomError(
        committeeVerifier,
        "NotEnoughSignatures",
      );
      const registry = await charter.nodeRegistry.getAddress();
      for (const elsewhere of [{ ledger: registry }, { chainId: 1 }]) {
        await expect(postBatch(charter, id("root"), {}, elsewhere)).to.be.revertedWithCustomError(
          committeeVerifier,
          "NotAMember",
        );
      }
      expect(await ledger.batch(id("root"))).to.deep.equal([0n, 0n, 0n]);
    });

    it("postBatch_withoutACommittee_reverts", async () => {
      const { charter, ledger } = await scene();
      await ledger.setVerifier(COMMITTEE, ZeroAddress);
      await expect(postBatch(charter, id("root")))
        .to.be.revertedWithCustomError(ledger, "NoVerifier")
        .withArgs(COMMITTEE);
    });
  });

  describe("claim", () => {
    it("claim_everyLeaf_isLiveAndEmitsItsEntry", async () => {
      const here = await scene();
      const { charter, ledger, at } = here;
      const leaves = await allLeaves(here);
      const { root, proofs } = leafTree(leaves);
      await postBatch(charter, root, { count: leaves.length });
      for (const [index, leaf] of leaves.entries()) {
        const key = keys[index] as Wallet;
        const sent = ledger
          .connect(charter.stranger)
          .claim(leaf, proofs[index] ?? [], await signLeaf(charter, key, leaf));
        const [log] = (await (await sent).wait())?.logs ?? [];
        const { name, args } = ledger.interface.parseLog(log as NonNullable<typeof log>) ?? {};
        expect(name).to.equal("InstanceClaimed");
        expect(args?.app).to.equal(at);
        expect(args?.key).to.equal(key.address);
        expect(args?.evidenceDigest).to.equal(leaf.evidenceDigest);
        expect(args?.actor).to.equal(charter.stranger.address);
        // The entry is the leaf's facts with who has proven them.
        const proven = unpackInstance(args?.entry as Bytes32);
        expect(proven).to.deep.equal({
          ...unpackInstance(leaf.facts as Bytes32),
          proofSystems: Number(bit(COMMITTEE)),
        });
        const kept = await ledger.instance(at, key.address);
        expect(kept.release).to.equal(BigInt(proven.release));
        expect(kept.expiresAt).to.equal(BigInt(proven.expiresAt));
        expect(kept.evidenceBlock).to.equal(proven.evidenceBlock);
        expect(await ledger.liveReason(at, key.address)).to.equal(Reason.Allowed);
      }
    });

    it("claim_leafOrPathOfNoBatch_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const leaves = await allLeaves(here);
      const [leaf, other] = leaves as [Leaf, Leaf];
      const { root, proofs } = leafTree(leaves);
      await postBatch(charter, root);
      const path = proofs[0] ?? [];
      const signature = await signLeaf(charter, first, leaf);
      const refused = (said: Leaf, proof: string[], by = signature) =>
        expect(ledger.claim(said, proof, by)).to.be.revertedWithCustomError(ledger, "UnknownBatch");
      await refused(leaf, proofs[1] ?? []);
      await refused(leaf, []);
      await refused(leaf, [...path, ZeroHash]);
      await refused({ ...leaf, app: ZeroAddress }, path);
      await refused({ ...leaf, key: other.key }, path);
      await refused({ ...leaf, facts: other.facts.replace(/.$/, "1") }, path);
      await refused({ ...leaf, evidenceDigest: id("other evidence") }, path);
    });

    it("claim_withoutTheKeysSignatureForThisAppAndEvidence_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const leaf = await leafOf(here, first);
      await postBatch(charter, leafHash(leaf));
      const [r, vs] = await signLeaf(charter, first, leaf);
      const s = BigInt(vs) & (2n ** 255n - 1n);
      const parity = BigInt(vs) - s;
      // The same point with the other s and the other y: another text of the same consent.
      const flipped = (ORDER - s) | (parity ^ (1n << 255n));
      const signatures: [string, string][] = [
        [ZeroHash, ZeroHash],
        [r, ZeroHash],
        [ZeroHash, vs],
        [r, toBeHex(BigInt(vs) ^ (1n << 255n), 32)],
        [r, toBeHex(flipped & (2n ** 256n - 1n), 32)],
        [toBeHex(ORDER, 32), vs],
        await signLeaf(charter, second, leaf),
        await signLeaf(charter, first, { ...leaf, evidenceDigest: id("other evidence") }),
        await signLeaf(charter, first, { ...leaf, app: charter.stranger.address }),
        await signLeaf(charter, first, leaf, { chainId: 1 }),
        await signLeaf(charter, first, leaf, { ledger: await charter.nodeRegistry.getAddress() }),
      ];
      for (const signature of signatures) {
        await expect(ledger.claim(leaf, [], signature)).to.be.revertedWithCustomError(
          ledger,
          "BadKeySignature",
        );
      }
      await ledger.claim(leaf, [], await signLeaf(charter, first, leaf));
    });

    it("claim_factsThatAreNone_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const { facts, ...rest } = await leafOf(here, first);
      const set = (byte: number, value: string) =>
        `0x${facts.slice(2, 2 + 2 * byte)}${value}${facts.slice(2 + 2 * byte + value.length)}`;
      const bad: Record<string, string> = {
        "no release": set(0, "00000000"),
        "no node": set(4, "00000000"),
        "no image": set(8, "00000000"),
        "a kind that there is not": set(12, "05"),
        "a status that there is not": set(13, "08"),
        "a flag that there is not": set(14, "08"),
        "proof systems of its own": set(15, "06"),
        "a record of its own": set(26, "00000001"),
        "a generation of its own": set(30, "01"),
        "something in the unused byte": set(31, "01"),
      };
      for (const [what, word] of Object.entries(bad)) {
        await expect(claimAlone(here, { ...rest, facts: word }, first), what)
          .to.be.revertedWithCustomError(ledger, "BadLeaf")
          .withArgs(word);
      }
      expect((await ledger.instance(rest.app, first.address)).proofSystems).to.equal(0);
      expect(await charter.attestationLedger.isLive(rest.app, first.address)).to.equal(false);
    });

    it("claim_evidenceOlderOrNewerThanTheBatch_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      await charter.connection.networkHelpers.mine(5);
      const newest = BigInt(await charter.connection.ethers.provider.getBlockNumber());
      for (const [evidenceBlock, good] of [
        [newest - 1n, false],
        [newest, true],
        [newest + 1n, true], // the block that the batch is posted in
        [newest + 2n, false],
      ] as const) {
        const key = walletOf(`at ${evidenceBlock}`);
        const leaf = await leafOf(here, key, { evidenceBlock });
        const snapshot = await charter.connection.networkHelpers.takeSnapshot();
        const claimed = claimAlone(here, leaf, key);
        if (good) await claimed;
        else await expect(claimed).to.be.revertedWithCustomError(ledger, "BadLeaf");
        await snapshot.restore();
      }
    });

    it("claim_lastsNoLongerThanLeafBatchOrAWeek", async () => {
      const here = await scene();
      const { charter, ledger, at, time } = here;
      const now = BigInt(await time.latest());
      for (const [leafEnds, batchEnds, expected] of [
        [now + 1000n, now + 2000n, now + 1000n],
        [now + 3000n, now + 2000n, now + 2000n],
        [now + 30n * DAY, now + 30n * DAY, null],
      ] as const) {
        const leaf = await leafOf(here, first, { expiresAt: Number(leafEnds) });
        await postBatch(charter, leafHash(leaf), { validUntil: batchEnds });
        const postedAt = BigInt(await time.latest());
        await ledger.claim(leaf, [], await signLeaf(charter, first, leaf));
        const { expiresAt } = await ledger.instance(at, first.address);
        expect(expiresAt).to.equal(expected ?? postedAt + 7n * DAY);
      }
    });

    it("claim_lateOrAgain_lastsNoLongerThanAWeekAfterThePosting", async () => {
      const here = await scene();
      const { charter, ledger, at, time } = here;
      const ends = BigInt(await time.latest()) + 30n * DAY;
      const leaves = await Promise.all(
        [first, second].map((key) => leafOf(here, key, { expiresAt: Number(ends) })),
      );
      const { root, proofs } = leafTree(leaves);
      await postBatch(charter, root, { validUntil: ends, count: 2 });
      const end = BigInt(await time.latest()) + 7n * DAY;
      const [claimed, late] = leaves as [Leaf, Leaf];
      const signature = await signLeaf(charter, first, claimed);
      await ledger.claim(claimed, proofs[0] ?? [], signature);
      await time.increase(6n * DAY);
      await ledger.claim(claimed, proofs[0] ?? [], signature);
      await ledger.claim(late, proofs[1] ?? [], await signLeaf(charter, second, late));
      for (const key of [first, second]) {
        expect((await ledger.instance(at, key.address)).expiresAt).to.equal(end);
      }
      expect((await ledger.batch(root)).validUntil).to.equal(end);
      await time.setNextBlockTimestamp(end);
      await expect(ledger.claim(claimed, proofs[0] ?? [], signature))
        .to.be.revertedWithCustomError(ledger, "VerdictExpired")
        .withArgs(end, end);
    });

    it("claim_afterLeafOrBatchEnded_reverts", async () => {
      const here = await scene();
      const { charter, ledger, time } = here;
      const now = BigInt(await time.latest());
      for (const [leafEnds, batchEnds] of [
        [now + 100n, now + 2000n],
        [now + 2000n, now + 100n],
      ] as const) {
        const leaf = await leafOf(here, first, { expiresAt: Number(leafEnds) });
        await postBatch(charter, leafHash(leaf), { validUntil: batchEnds });
        const signature = await signLeaf(charter, first, leaf);
        const snapshot = await charter.connection.networkHelpers.takeSnapshot();
        await time.setNextBlockTimestamp(now + 100n);
        await expect(ledger.claim(leaf, [], signature))
          .to.be.revertedWithCustomError(ledger, "VerdictExpired")
          .withArgs(now + 100n, now + 100n);
        await snapshot.restore();
        await ledger.claim(leaf, [], signature);
      }
    });

    it("claim_olderBatchAfterANewer_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const older = await leafOf(here, first);
      await postBatch(charter, leafHash(older));
      const newer = await leafOf(here, first);
      await claimAlone(here, newer, first);
      await expect(
        ledger.claim(older, [], await signLeaf(charter, first, older)),
      ).to.be.revertedWithCustomError(ledger, "EvidenceNotNewer");
    });

    it("isLive_committeesVerifierReplaced_isFalseInThatBlockUntilTheNewOneSaysSo", async () => {
      const here = await scene();
      const { charter, ledger, at } = here;
      const leaf = await leafOf(here, first);
      const root = leafHash(leaf);
      await postBatch(charter, root);
      const signature = await signLeaf(charter, first, leaf);
      await ledger.claim(leaf, [], signature);
      const attested = await instanceVerdict(charter, at, second);
      await attestVerdict(charter, attested, second);
      const verifier = await charter.connection.ethers.deployContract("CommitteeVerifier", [
        charter.governance.address,
        charter.members.map(({ address }) => address),
        2,
        FAR,
        COMMITTEE_NOTICE,
      ]);
      for (const key of [first, second]) expect(await ledger.isLive(at, key.address)).to.equal(true);
      const replaced = await (await ledger.setVerifier(COMMITTEE, await verifier.getAddress())).wait();
      const blockTag = replaced?.blockNumber ?? 0;
      for (const key of [first, second]) {
        expect(await ledger.liveReason(at, key.address, { blockTag })).to.equal(Reason.ProofMissing);
      }
      // Nor does a claim from the old one's batch bring it back.
      await ledger.claim(leaf, [], signature);
      expect(await ledger.liveReason(at, first.address)).to.equal(Reason.ProofMissing);
      const of = { ...charter, committeeVerifier: verifier as unknown as Charter["committeeVerifier"] };
      await postBatch(of, root, { minBlock: unpackInstance(leaf.facts as Bytes32).evidenceBlock });
      await ledger.claim(leaf, [], signature);
      await attestVerdict(of, attested, second);
      for (const key of [first, second]) expect(await ledger.isLive(at, key.address)).to.equal(true);
    });

    it("claim_ofAnEarlierVerifiersBatch_doesNotTakeThePlaceOfALaterWord", async () => {
      const here = await scene();
      const { charter, ledger, at } = here;
      const leaf = await leafOf(here, first);
      await postBatch(charter, leafHash(leaf));
      const signature = await signLeaf(charter, first, leaf);
      await ledger.claim(leaf, [], signature);
      const verifier = await charter.connection.ethers.deployContract("CommitteeVerifier", [
        charter.governance.address,
        charter.members.map(({ address }) => address),
        2,
        FAR,
        COMMITTEE_NOTICE,
      ]);
      await ledger.setVerifier(COMMITTEE, await verifier.getAddress());
      const of = { ...charter, committeeVerifier: verifier as unknown as Charter["committeeVerifier"] };
      // The new committee says the same of the same evidence, under another root.
      const other = await leafOf(here, second);
      const { root, proofs } = leafTree([leaf, other]);
      const { evidenceBlock } = unpackInstance(leaf.facts as Bytes32);
      await postBatch(of, root, { minBlock: evidenceBlock, count: 2 });
      await ledger.claim(leaf, proofs[0] ?? [], signature);
      expect(await ledger.isLive(at, first.address)).to.equal(true);
      // Anyone may repeat the claim from the old batch: its key's signature stands in the chain's history.
      await expect(ledger.connect(charter.stranger).claim(leaf, [], signature))
        .to.be.revertedWithCustomError(ledger, "EvidenceNotNewer")
        .withArgs(evidenceBlock, evidenceBlock);
      expect(await ledger.isLive(at, first.address)).to.equal(true);
    });

    it("claim_asksNoApp_isLiveDoes", async () => {
      const here = await scene();
      const { ledger, app, at, charter } = here;
      const wrong: readonly [Partial<LeafFacts>, Reason][] = [
        [{ release: 2 }, Reason.ReleaseNotAllowed],
        [{ kind: TeeKind.Snp }, Reason.TeeKindNotAllowed],
        [{ status: TcbStatus.OutOfDate }, Reason.TcbStatusNotAllowed],
        [{ image: 9 }, Reason.OsImageNotAllowed],
        [{ node: 9 }, Reason.NodeNotAllowed],
      ];
      for (const [over, reason] of wrong) {
        await claimAlone(here, await leafOf(here, first, over), first);
        expect(await ledger.liveReason(at, first.address)).to.equal(reason);
      }
      await claimAlone(here, await leafOf(here, first), first);
      expect(await ledger.isLive(at, first.address)).to.equal(true);
      await app.revoke(1);
      expect(await ledger.liveReason(at, first.address)).to.equal(Reason.ReleaseNotAllowed);
      // An address that is no app of this registry has no rules, whatever it would answer.
      const leaf = { ...(await leafOf(here, second)), app: charter.stranger.address };
      await claimAlone(here, leaf, second);
      expect(await ledger.liveReason(charter.stranger, second.address)).to.equal(Reason.AppNotRegistered);
    });
  });

  describe("claimMany", () => {
    /** OpenZeppelin's multiproof for the first two of four leaves: their node is made of both, then one sibling. */
    const pairOf = async (here: Scene) => {
      const leaves = (await allLeaves(here)).slice(0, 4);
      const { root, proofs } = leafTree(leaves);
      await postBatch(here.charter, root, { count: 4 });
      // Of a pair the smaller hash comes first; two of the queue, then the node that they make and the sibling.
      return { pair: leaves.slice(0, 2), proof: (proofs[0] ?? []).slice(1), flags: [true, false] };
    };
    const signed = (charter: Charter, pair: readonly Leaf[]) =>
      Promise.all(pair.map((leaf, i) => signLeaf(charter, keys[i] as Wallet, leaf)));

    it("claimMany_twoOfFour_bothAreLive", async () => {
      const here = await scene();
      const { charter, ledger, at } = here;
      const { pair, proof, flags } = await pairOf(here);
      await ledger.claimMany(pair, proof, flags, await signed(charter, pair));
      for (const key of [first, second]) expect(await ledger.isLive(at, key.address)).to.equal(true);
    });

    it("claimMany_oneOfThemBad_claimsNone", async () => {
      const here = await scene();
      const { charter, ledger, at } = here;
      const { pair, proof, flags } = await pairOf(here);
      const [one, two] = (await signed(charter, pair)) as [[string, string], [string, string]];
      await expect(ledger.claimMany(pair, proof, flags, [one, one])).to.be.revertedWithCustomError(
        ledger,
        "BadKeySignature",
      );
      const [a, b] = pair as [Leaf, Leaf];
      await expect(
        ledger.claimMany([a, { ...b, evidenceDigest: id("other") }], proof, flags, [one, two]),
      ).to.be.revertedWithCustomError(ledger, "UnknownBatch");
      expect(await ledger.isLive(at, first.address)).to.equal(false);
    });

    it("claimMany_noLeavesOrOtherLengths_reverts", async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const { pair, proof, flags } = await pairOf(here);
      const [one] = (await signed(charter, pair)) as [[string, string]];
      const { root } = leafTree((await allLeaves(here)).slice(0, 4));
      await postBatch(charter, id("of nothing"));
      // Without leaves a multiproof is its own root.
      for (const only of [root, id("of nothing")]) {
        await expect(ledger.claimMany([], [only], [], []))
          .to.be.revertedWithCustomError(ledger, "LengthMismatch")
          .withArgs(1, 0);
      }
      await expect(ledger.claimMany(pair, proof, flags, [one]))
        .to.be.revertedWithCustomError(ledger, "LengthMismatch")
        .withArgs(2, 1);
      await expect(ledger.claimMany(pair, proof, [true], [one, one])).to.be.revertedWithCustomError(
        ledger,
        "MerkleProofInvalidMultiproof",
      );
    });
  });

  /** Made by the npm package @openzeppelin/merkle-tree 1.0.8: StandardMerkleTree over seven leaves like `libraryLeaf`. */
  describe("a tree of OpenZeppelin's library", () => {
    const ROOT = "0x3766ae026bce46998bfaaf42c86c4a25256fea90af321fd8f41cf5798adea255";
    const FACTS = "0x000000010000000100000001010100000000000028ffffffffff000000000000";
    const PROOF_OF_FIRST = [
      "0x436cf69b36780fb1371be3e5ace88f160c6581842d3a4b024194523ad43d68e5",
      "0x09fe1e4ce98e08cc1a3234705ff8b6eb1bb78aae5cd58a97ae882c1778e7b190",
      "0xb6e1bfc426ae846c2a428c30d96cba834125b912a35815fdddebe51675bf5458",
    ];
    const MULTIPROOF = {
      leaves: [3, 0, 2],
      proof: [
        "0x06d231298b421736dcdc133408dbd4e91f4d26eef1ddfd3807575cca75993ea1",
        "0x436cf69b36780fb1371be3e5ace88f160c6581842d3a4b024194523ad43d68e5",
        "0xc625373fda9598f45cf61f8c0704433c777f0414f487d7e3bbe2dbdeabea0975",
        "0xe73101d77f764f76f443af78d69a8b9cb8e048447787e1e96b881ce69dcfdb7e",
      ],
      flags: [false, false, false, false, true, true],
    };
    const EVIDENCE_BLOCK = 40n;
    const libraryLeaf = (i: number): Leaf => ({
      app: `0x${"11".repeat(20)}`,
      key: walletOf(`instance ${i}`).address,
      facts: FACTS,
      evidenceDigest: id(`evidence ${i}`),
    });
    const posted = async () => {
      const here = await scene();
      const { provider } = here.charter.connection.ethers;
      const newest = BigInt(await provider.getBlockNumber());
      await here.charter.connection.networkHelpers.mine(EVIDENCE_BLOCK - newest);
      await postBatch(here.charter, ROOT, { count: 7 });
      return here;
    };

    it("claim_byItsProof_isTaken", async () => {
      const { charter, ledger } = await posted();
      const leaf = libraryLeaf(0);
      await ledger.claim(leaf, PROOF_OF_FIRST, await signLeaf(charter, walletOf("instance 0"), leaf));
      expect((await ledger.instance(leaf.app, leaf.key)).evidenceBlock).to.equal(EVIDENCE_BLOCK);
    });

    it("claimMany_byItsMultiproof_isTaken", async () => {
      const { charter, ledger } = await posted();
      const leaves = MULTIPROOF.leaves.map(libraryLeaf);
      const signatures = await Promise.all(
        leaves.map((leaf, i) => signLeaf(charter, walletOf(`instance ${MULTIPROOF.leaves[i]}`), leaf)),
      );
      await ledger.claimMany(leaves, MULTIPROOF.proof, MULTIPROOF.flags, signatures);
      for (const { app, key } of leaves) {
        expect((await ledger.instance(app, key)).evidenceBlock).to.equal(EVIDENCE_BLOCK);
      }
    });
  });

  describe("combining with direct proofs", () => {
    const both = async () => {
      const here = await scene();
      const { charter, ledger } = here;
      const direct = await charter.connection.ethers.deployContract("VerifierDouble", [DIRECT]);
      await ledger.setVerifier(DIRECT, await direct.getAddress());
      const required = { kind: SettingKind.ProofSystem, key: word(DIRECT), value: 1n };
      const app = await createApp(charter, { settings: [...POLICY, required], salt: id("both") });
      const at = await app.getAddress();
      const verdict = await instanceVerdict(charter, at, first);
      const leaf = {
        ...(await leafOf({ ...here, app, at }, first, {
          combines: true,
          evidenceBlock: verdict.evidenceBlock,
        })),
        evidenceDigest: verdict.evidenceDigest,
      };
      await postBatch(charter, leafHash(leaf), { minBlock: verdict.evidenceBlock });
      const signature = await signLeaf(charter, first, leaf);
      const attestDirect = (over: Partial<typeof verdict> = {}) => {
        const changed = { ...verdict, ...over };
        const proof = doubleProof(changed);
        return attestVerdict(charter, changed, first, { system: DIRECT, combines: true, proof });
      };
      return { charter, ledger, at, leaf, attestDirect, claim: () => ledger.claim(leaf, [], signature) };
    };

    it("claim_withADirectProofOfTheSameEvidence_isLiveInEitherOrder", async () => {
      for (const directFirst of [true, false]) {
        const { ledger, at, attestDirect, claim, leaf } = await both();
        await (directFirst ? attestDirect() : claim());
        expect(await ledger.liveReason(at, first.address)).to.equal(Reason.ProofMissing);
        await (directFirst ? claim() : attestDirect());
        expect(await ledger.isLive(at, first.address)).to.equal(true);
        const entry = await ledger.instance(at, first.address);
        expect(entry.proofSystems).to.equal(bit(COMMITTEE) | bit(DIRECT));
        expect(entry.evidenceDigest).to.equal(leaf.evidenceDigest);
      }
    });

    it("attest_otherEvidenceOrFactsThanTheClaim_doesNotCombine", async () => {
      const { ledger, at, attestDirect, claim } = await both();
      await claim();
      await expect(attestDirect({ evidenceDigest: id("other evidence") })).to.be.revertedWithCustomError(
        ledger,
        "EvidenceNotNewer",
      );
      await expect(attestDirect({ measurementDigest: id("other") })).to.be.revertedWithCustomError(
        ledger,
        "FactsChanged",
      );
      expect(await ledger.isLive(at, first.address)).to.equal(false);
    });
  });

  describe("images", () => {
    it("keepImage_again_isTheSameNumber", async () => {
      const { charter, ledger } = await scene();
      const another = {
        osImageHash: id("another image"),
        measurementDigest: id("m"),
        pinnedMeasurementDigest: id("p"),
        advisoriesDigest: id("a"),
      };
      expect(await ledger.imageNumber(another)).to.equal(0);
      await expect(ledger.connect(charter.stranger).keepImage(another))
        .to.emit(ledger, "ImageKept")
        .withArgs(2, ...Object.values(another), charter.stranger.address);
      await expect(ledger.keepImage(another)).to.not.emit(ledger, "ImageKept");
      expect(await ledger.imageNumber(another)).to.equal(2);
      expect(await ledger.image(2)).to.deep.equal(Object.values(another));
      for (const field of Object.keys(another)) {
        expect(await ledger.imageNumber({ ...another, [field]: id("changed") }), field).to.equal(0);
      }
    });
  });

  it("packFacts_leastAndMostOfEach_areThoseOfTheirTwin", async () => {
    const { ledger } = await scene();
    const most = {
      release: 2 ** 32 - 1,
      node: 2 ** 32 - 2,
      image: 2 ** 32 - 3,
      kind: TeeKind.Nitro,
      status: TcbStatus.Revoked,
      simulated: true,
      gpu: true,
      combines: true,
      evidenceBlock: 2n ** 40n - 1n,
      expiresAt: 2 ** 40 - 2,
    };
    const least: LeafFacts = { ...most, release: 1, node: 2, image: 3, evidenceBlock: 4n, expiresAt: 5 };
    for (const facts of [most, least, { ...least, gpu: false }, { ...least, simulated: false }]) {
      const flags = (facts.simulated ? 1 : 0) | (facts.gpu ? 2 : 0) | (facts.combines ? 4 : 0);
      const { release, node, image, kind, status, evidenceBlock, expiresAt } = facts;
      expect(
        await ledger.packFacts(release, node, image, kind, status, flags, evidenceBlock, expiresAt),
      ).to.equal(packFacts(facts));
      const { combines, ...rest } = facts;
      expect(combines).to.equal(true);
      expect(unpackInstance(packFacts(facts))).to.deep.equal({ ...rest, proofSystems: 0, record: 0 });
    }
  });

  describe("on a production chain", () => {
    const production = useCharter(async (charter) => {
      await register(charter, walletOf("node key"), { validUntil: FAR });
      const app = await createApp(charter);
      const { time } = charter.connection.networkHelpers;
      return { ledger: charter.attestationLedger, app, at: await app.getAddress(), time };
    }, 1);

    it("claim_simulated_reverts", async () => {
      const here = await production();
      const leaf = await leafOf(here, first, { simulated: true });
      await expect(claimAlone(here, leaf, first))
        .to.be.revertedWithCustomError(here.ledger, "SimulatedOnProductionChain")
        .withArgs(1);
    });
  });
});
