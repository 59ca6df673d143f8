import { AbiCoder, keccak256, type Wallet } from "ethers";

import { batchTypes, committeeDomain } from "../../../protocol/session/domains.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Charter } from "./charter.ts";
import { merkleTree } from "./merkleTree.ts";

/** The contracts' `Leaf`. */
export interface Leaf {
  app: string;
  key: string;
  facts: string;
  evidenceDigest: string;
}

/** What a committee signs of a batch. */
export interface BatchStatement {
  ledger: string;
  root: string;
  count: number;
  validUntil: bigint;
  minBlock: bigint;
  blockHash: string;
}

/** A leaf's hash, as OpenZeppelin's merkle-tree has it: hashed twice, so that no inner node passes for a leaf. */
export const leafHash = ({ app, key, facts, evidenceDigest }: Leaf): string =>
  keccak256(
    keccak256(
      AbiCoder.defaultAbiCoder().encode(
        ["address", "address", "bytes32", "bytes32"],
        [app, key, facts, evidenceDigest],
      ),
    ),
  );

/** A tree over these leaves, in their order: its root, and each leaf's path. */
export const leafTree = (leaves: readonly Leaf[]): { root: string; proofs: string[][] } =>
  merkleTree(leaves.map(leafHash));

/** Signatures of these members over a batch, in the order given. */
export async function signBatch(
  charter: Charter,
  statement: BatchStatement,
  members: readonly Wallet[],
  chainId = Number(charter.chainId),
): Promise<string[]> {
  const domain = committeeDomain(chainId, (await charter.committeeVerifier.getAddress()) as Address);
  const types = { Batch: [...batchTypes.Batch] };
  return Promise.all(members.map((member) => member.signTypedData(domain, types, statement)));
}
