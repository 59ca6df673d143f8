import { SimpleMerkleTree } from "@openzeppelin/merkle-tree";
import { expect } from "chai";

import { leafHash, leafTree } from "../../../protocol/session/batch.ts";
import type { Leaf } from "../../../protocol/session/batch.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { packFacts, unpackFacts } from "../../../protocol/state/instanceWord.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { random } from "../../support/random.ts";

const word = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const address = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}` as Address;
const leaf = (n: number): Leaf => ({
  app: address(1),
  key: address(n),
  facts: word(2),
  evidenceDigest: word(n),
});
const leavesOf = (count: number): Leaf[] => Array.from({ length: count }, (_, n) => leaf(n + 1));

describe("leafTree", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  before(() => console.log(`    SEED=${seed}`));

  it("leafTree_anyNumberOfLeaves_isTheTreeOfOpenZeppelin", () => {
    for (const count of [1, 2, 3, 5, 8, 13, 100]) {
      const leaves = leavesOf(count);
      const tree = leafTree(leaves);
      const oracle = SimpleMerkleTree.of(leaves.map(leafHash), { sortLeaves: true });
      expect(tree.root).to.equal(oracle.root);
      for (const [position, each] of tree.leaves.entries()) {
        expect(tree.path(position)).to.deep.equal(oracle.getProof(leafHash(each)));
      }
    }
  });

  it("multiproof_anySubset_isWhatOpenZeppelinVerifies", () => {
    const choice = random(seed);
    for (let round = 0; round < 40; round++) {
      const count = 1 + choice.below(40);
      const leaves = leavesOf(count);
      const tree = leafTree(leaves);
      const chosen = tree.leaves.flatMap((_, position) => (choice.chance(0.4) ? [position] : []));
      if (chosen.length === 0) chosen.push(count - 1);
      const { positions, proof, flags } = tree.multiproof(chosen);
      expect([...positions].sort((a, b) => a - b)).to.deep.equal(chosen);
      const hashes = positions.map((position) => leafHash(tree.leaves[position]!));
      const multiproof = { leaves: hashes, proof: [...proof], proofFlags: [...flags] };
      expect(SimpleMerkleTree.verifyMultiProof(tree.root, multiproof)).to.equal(true);
    }
  });

  it("leafTree_otherOrder_givesTheSameRoot", () => {
    const leaves = leavesOf(9);
    expect(leafTree(leaves.toReversed()).root).to.equal(leafTree(leaves).root);
  });

  it("leafTree_noLeavesOrOneTwice_refuses", () => {
    const codeOf = (leaves: Leaf[]): string => {
      try {
        leafTree(leaves);
        return "none";
      } catch (error) {
        return error instanceof CharterError ? error.code : "other";
      }
    };
    expect([codeOf([]), codeOf([leaf(1), leaf(2), leaf(1)])]).to.deep.equal([
      "batch/no-leaves",
      "batch/twice",
    ]);
  });

  it("unpackFacts_ofPacked_givesTheSame", () => {
    const facts = {
      release: 3,
      node: 4,
      image: 5,
      kind: 1,
      status: 2,
      simulated: true,
      gpu: false,
      combines: true,
      evidenceBlock: 77n,
      expiresAt: 1_900_000_000,
    } as const;
    expect(unpackFacts(packFacts(facts))).to.deep.equal(facts);
    expect(unpackFacts(packFacts({ ...facts, combines: false })).combines).to.equal(false);
  });
});
