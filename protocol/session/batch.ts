import { hashTypedData } from "viem";

import { keccak256, type Keccak256 } from "../crypto/keccak.ts";
import { pairHash } from "../crypto/pairHash.ts";
import { CharterError } from "../errors/CharterError.ts";
import { abiWords } from "../words/abiWords.ts";
import { fromHex, type Address, type Bytes32 } from "../words/hex.ts";
import { batchTypes, committeeDomain } from "./domains.ts";

/** What a committee says of one instance in a batch (IAttestationLedger `Leaf`); `facts` is packed by `packFacts`. */
export interface Leaf {
  readonly app: Address;
  readonly key: Address;
  readonly facts: Bytes32;
  readonly evidenceDigest: Bytes32;
}

/** What a committee signs of a batch. */
export interface BatchStatement {
  readonly ledger: Address;
  readonly root: Bytes32;
  readonly count: number;
  /** Unix seconds. */
  readonly validUntil: number;
  /** Oldest evidence block of the leaves, and its hash. */
  readonly minBlock: number;
  readonly blockHash: Bytes32;
}

/** Several leaves' way to the root, as `claimMany` takes it: `positions` in the order in which the leaves are given. */
export interface Multiproof {
  readonly positions: readonly number[];
  readonly proof: readonly Bytes32[];
  readonly flags: readonly boolean[];
}

/** A batch's leaves in the tree's order, and their ways to the root. */
export interface LeafTree {
  readonly leaves: readonly Leaf[];
  readonly root: Bytes32;
  /** @param position place in `leaves`. */
  path(position: number): Bytes32[];
  /** @param positions places in `leaves`, at least one. */
  multiproof(positions: readonly number[]): Multiproof;
}

/** keccak256(keccak256(abi.encode(leaf))): hashed twice, so that no inner node passes for a leaf. */
export const leafHash = (leaf: Leaf): Bytes32 => hashLeaf(leaf, keccak256);

const hashLeaf = ({ app, key, facts, evidenceDigest }: Leaf, keccak: Keccak256): Bytes32 =>
  keccak(fromHex(keccak(abiWords(app, key, facts, evidenceDigest))));

const parentOf = (index: number): number => (index - 1) >> 1;
const siblingOf = (index: number): number => (index % 2 === 1 ? index + 1 : index - 1);

/**
 * The tree of @openzeppelin/merkle-tree: leaves sorted by hash, so that the same leaves give the same root; a complete
 * binary tree in one array, the root first and the leaves last, in reverse.
 * @param keccak a faster one, where there is one.
 * @throws CharterError `batch/no-leaves`, `batch/twice` for two equal leaves.
 */
export function leafTree(unsorted: readonly Leaf[], keccak: Keccak256 = keccak256): LeafTree {
  if (unsorted.length === 0) throw new CharterError("batch/no-leaves", "a batch needs at least one leaf");
  const sorted = unsorted
    .map((leaf) => ({ leaf, hash: hashLeaf(leaf, keccak) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
  const size = 2 * sorted.length - 1;
  const tree = new Array<Bytes32>(size);
  sorted.forEach(({ hash }, position) => {
    if (hash === sorted[position - 1]?.hash) {
      throw new CharterError("batch/twice", "a batch has each leaf once", { hash });
    }
    tree[size - 1 - position] = hash;
  });
  const at = (index: number): Bytes32 => tree[index] as Bytes32;
  for (let index = size - 1 - sorted.length; index >= 0; index--) {
    tree[index] = pairHash(at(2 * index + 1), at(2 * index + 2), keccak);
  }
  return {
    leaves: sorted.map(({ leaf }) => leaf),
    root: at(0),
    path: (position) => {
      const path: Bytes32[] = [];
      for (let index = size - 1 - position; index > 0; index = parentOf(index))
        path.push(at(siblingOf(index)));
      return path;
    },
    multiproof: (positions) => {
      const indices = positions.map((position) => size - 1 - position).sort((a, b) => b - a);
      const queue = [...indices];
      const proof: Bytes32[] = [];
      const flags: boolean[] = [];
      for (let next = 0; next < queue.length && (queue[next] as number) > 0; next++) {
        const index = queue[next] as number;
        const sibling = siblingOf(index);
        const isNextToo = queue[next + 1] === sibling;
        flags.push(isNextToo);
        if (isNextToo) next++;
        else proof.push(at(sibling));
        queue.push(parentOf(index));
      }
      return { positions: indices.map((index) => size - 1 - index), proof, flags };
    },
  };
}

/** The typed data that a committee member signs for a batch. */
export const batchTypedData = (chainId: number, verifier: Address, statement: BatchStatement) =>
  ({
    domain: committeeDomain(chainId, verifier),
    types: batchTypes,
    primaryType: "Batch",
    message: { ...statement, minBlock: BigInt(statement.minBlock) },
  }) as const;

/** EIP-712 digest of a batch, equal to `ICommitteeVerifier.batchDigest`. */
export const batchDigest = (chainId: number, verifier: Address, statement: BatchStatement): Bytes32 =>
  hashTypedData(batchTypedData(chainId, verifier, statement)) as Bytes32;
