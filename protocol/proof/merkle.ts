import { encodeAbiParameters, keccak256 } from "viem";

import { keccak256 as keccakOfParts } from "../crypto/keccak.ts";
import { pairHash } from "../crypto/pairHash.ts";
import { CharterError } from "../errors/CharterError.ts";
import type { Bytes32 } from "../words/hex.ts";

// Merkle trees as OpenZeppelin's MerkleProof reads them: leaves hashed twice, pairs sorted.

const hashPair = (a: Bytes32, b: Bytes32): Bytes32 => pairHash(a, b, keccakOfParts);

/** Root that a leaf's hash and its path lead to. */
export const merkleRoot = (leaf: Bytes32, path: readonly Bytes32[]): Bytes32 => path.reduce(hashPair, leaf);

/** A member's leaf in the tree of an endorsement's list: hashed twice, so that no inner node passes for a leaf. */
export const memberLeaf = (member: Bytes32): Bytes32 =>
  keccak256(keccak256(encodeAbiParameters([{ type: "bytes32" }], [member]))) as Bytes32;

/**
 * The tree over these leaves in the shape of @openzeppelin/merkle-tree (leaves sorted, one complete binary tree), so that
 * anybody else's tool finds the same root. Paths by leaf. @throws CharterError `merkle/empty`.
 */
export function standardTree(leaves: readonly Bytes32[]): {
  readonly root: Bytes32;
  readonly pathOf: (leaf: Bytes32) => readonly Bytes32[] | null;
} {
  const sorted = [...new Set(leaves)].sort();
  if (sorted.length === 0) throw new CharterError("merkle/empty", "a tree needs at least one leaf");
  const last = 2 * sorted.length - 2;
  const tree: Bytes32[] = [];
  sorted.forEach((leaf, i) => (tree[last - i] = leaf));
  const at = (i: number): Bytes32 => tree[i] as Bytes32;
  for (let i = last - sorted.length; i >= 0; i--) tree[i] = hashPair(at(2 * i + 1), at(2 * i + 2));
  return {
    root: at(0),
    pathOf: (leaf) => {
      const found = sorted.indexOf(leaf);
      if (found < 0) return null;
      const path: Bytes32[] = [];
      for (let i = last - found; i > 0; i = (i - 1) >> 1) path.push(at(i % 2 === 0 ? i - 1 : i + 1));
      return path;
    },
  };
}

/**
 * Each leaf's own path out of a multiproof (OpenZeppelin `processMultiProof`): what is to be shown of one leaf alone.
 * @throws CharterError `merkle/bad-multiproof`.
 */
export function multiproofPaths(
  leaves: readonly Bytes32[],
  proof: readonly Bytes32[],
  flags: readonly boolean[],
): readonly (readonly Bytes32[])[] {
  // Nodes in the order in which they come to be: leaves, then what each flag makes.
  const nodes = [...leaves];
  const above: { readonly parent: number; readonly sibling: Bytes32 }[] = [];
  const siblings = [...proof];
  let next = 0;
  for (const flag of flags) {
    const [first, second] = [next++, flag ? next++ : -1];
    const a = nodes[first];
    const b = flag ? nodes[second] : siblings.shift();
    if (a === undefined || b === undefined) {
      throw new CharterError("merkle/bad-multiproof", "a multiproof must have a node for every flag");
    }
    const parent = nodes.push(hashPair(a, b)) - 1;
    above[first] = { parent, sibling: b };
    if (flag) above[second] = { parent, sibling: a };
  }
  return leaves.map((_, leaf) => {
    const path: Bytes32[] = [];
    for (let step = above[leaf]; step !== undefined; step = above[step.parent]) path.push(step.sibling);
    return path;
  });
}
