import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { expect } from "chai";
import { keccak256, toHex } from "viem";

import { memberLeaf, merkleRoot, multiproofPaths, standardTree } from "../../../protocol/proof/merkle.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { random, type Random } from "../../support/random.ts";
import { refusalOf } from "../../support/refusal.ts";

const TREES = 40;
const LARGEST = 40;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

const members = (source: Random, count: number): Bytes32[] => {
  const from = source.below(2 ** 31);
  return Array.from({ length: count }, (_, i) => keccak256(toHex(`${from} ${i}`)) as Bytes32);
};
/** Small ones one after the other, then of random sizes. */
const sizes = (source: Random): number[] =>
  Array.from({ length: TREES }, (_, i) => (i < 12 ? i + 1 : 1 + source.below(LARGEST)));

describe("Merkle trees beside @openzeppelin/merkle-tree", () => {
  before(() => console.log(`      SEED=${seed}`));

  it("standardTree_randomMembers_hasItsRootAndPaths", () => {
    const source = random(seed);
    for (const size of sizes(source)) {
      const listed = members(source, size);
      const theirs = StandardMerkleTree.of(
        listed.map((member) => [member]),
        ["bytes32"],
      );
      // The order in which members are given, and that one is given twice, change nothing.
      const given = [...listed, source.pick(listed)].reverse();
      const ours = standardTree(given.map(memberLeaf));
      expect(ours.root, `${size} members`).to.equal(theirs.root);
      for (const member of listed) {
        const leaf = memberLeaf(member);
        expect(leaf).to.equal(theirs.leafHash([member]));
        const path = ours.pathOf(leaf);
        expect(path, `${size} members`).to.deep.equal(theirs.getProof([member]));
        expect(merkleRoot(leaf, path ?? [])).to.equal(theirs.root);
      }
      expect(ours.pathOf(memberLeaf(members(source, 1)[0] as Bytes32))).to.equal(null);
    }
  });

  it("multiproofPaths_randomSubsets_areEachLeafsOwnPath", () => {
    const source = random(seed + 1);
    for (const size of sizes(source)) {
      const listed = members(source, size);
      const theirs = StandardMerkleTree.of(
        listed.map((member) => [member]),
        ["bytes32"],
      );
      const chosen = listed.filter(() => source.chance(0.4));
      if (chosen.length === 0) chosen.push(source.pick(listed));
      const multi = theirs.getMultiProof(chosen.map((member) => [member]));
      const leaves = multi.leaves.map(([member]) => memberLeaf(member as Bytes32));
      const paths = multiproofPaths(leaves, multi.proof as Bytes32[], multi.proofFlags);
      expect(paths).to.deep.equal(multi.leaves.map((leaf) => theirs.getProof(leaf)));
    }
  });

  it("multiproofPaths_notEnoughNodes_throws", () => {
    const source = random(seed + 2);
    for (const size of [2, 3, 9, 40]) {
      const theirs = StandardMerkleTree.of(
        members(source, size).map((member) => [member]),
        ["bytes32"],
      );
      const multi = theirs.getMultiProof([source.below(size)]);
      const leaves = multi.leaves.map(([member]) => memberLeaf(member as Bytes32));
      const short = multi.proof.slice(1) as Bytes32[];
      const code = refusalOf(() => multiproofPaths(leaves, short, multi.proofFlags));
      expect(code, `${size} members`).to.equal("merkle/bad-multiproof");
    }
  });

  it("standardTree_noLeaves_throws", () => {
    expect(refusalOf(() => standardTree([]))).to.equal("merkle/empty");
  });
});
