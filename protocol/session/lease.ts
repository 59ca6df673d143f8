import { recoverTypedDataAddress } from "viem";

import { keccak256, type Keccak256 } from "../crypto/keccak.ts";
import { pairHash } from "../crypto/pairHash.ts";
import { CharterError } from "../errors/CharterError.ts";
import { abiWords } from "../words/abiWords.ts";
import { fromHex } from "../words/hex.ts";
import type { Address, Bytes32, ComposeHash, Hex } from "../words/hex.ts";
import { leaseDomain, leaseTickTypes } from "./domains.ts";

/** One key may run one release for `maxSeconds` more, counted from when the guest sent `nonce`. */
export interface Lease {
  readonly app: Address;
  readonly key: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly nonce: Bytes32;
  readonly maxSeconds: number;
}

/** A lease with its path to the signed Merkle root of its tick, and the block that the decision cites. */
export interface SignedLease {
  readonly lease: Lease;
  readonly path: readonly Bytes32[];
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  readonly signature: Hex;
}

/**
 * Leaf of a lease, keccak256(keccak256(abi.encode(app, key, release, composeHash, nonce, maxSeconds))): hashed twice, as
 * @openzeppelin/merkle-tree does, so that no leaf can pass for a node.
 * @param keccak a faster one, where there is one.
 * @throws CharterError `hex/invalid`, `hex/length`
 */
export function leaseLeaf(lease: Lease, keccak: Keccak256 = keccak256): Bytes32 {
  const { app, key, release, composeHash, nonce, maxSeconds } = lease;
  return keccak(fromHex(keccak(abiWords(app, key, BigInt(release), composeHash, nonce, BigInt(maxSeconds)))));
}

/** Merkle root and one path per leaf (commutative pairs; an odd node moves up alone). Leaves must not be empty. */
export function leaseTree(
  leaves: readonly Bytes32[],
  keccak: Keccak256 = keccak256,
): { root: Bytes32; paths: Bytes32[][] } {
  if (leaves.length === 0) throw new CharterError("lease/no-leaves", "a tick needs at least one lease");
  const paths: Bytes32[][] = leaves.map(() => []);
  let level = [...leaves];
  let positions = leaves.map((_, i) => i);
  while (level.length > 1) {
    positions.forEach((position, leaf) => {
      const sibling = level[position ^ 1];
      if (sibling !== undefined) paths[leaf]?.push(sibling);
    });
    const next: Bytes32[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Bytes32;
      const right = level[i + 1];
      next.push(right === undefined ? left : pairHash(left, right, keccak));
    }
    level = next;
    positions = positions.map((position) => position >> 1);
  }
  return { root: level[0] as Bytes32, paths };
}

/** Root that a leaf and its path lead to. Paths longer than 32 are refused. */
export function leaseRoot(leaf: Bytes32, path: readonly Bytes32[]): Bytes32 {
  if (path.length > 32) throw new CharterError("lease/path-too-long", "a lease path has at most 32 steps");
  return path.reduce((hash, step) => pairHash(hash, step, keccak256), leaf);
}

/** The signer of a lease's tick. The caller decides whether that signer may lease. */
export async function recoverLeaseSigner(
  chainId: number,
  ledger: Address,
  signed: SignedLease,
): Promise<Address> {
  const signer = await recoverTypedDataAddress({
    domain: leaseDomain(chainId, ledger),
    types: leaseTickTypes,
    primaryType: "LeaseTick",
    message: {
      root: leaseRoot(leaseLeaf(signed.lease), signed.path),
      blockNumber: signed.blockNumber,
      blockHash: signed.blockHash,
    },
    signature: signed.signature,
  });
  return signer.toLowerCase() as Address;
}
