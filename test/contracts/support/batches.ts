import { AbiCoder, concat, keccak256, type Wallet } from "ethers";

import { batchTypes, committeeDomain } from "../../../protocol/session/domains.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Charter } from "./charter.ts";

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

const pairHash = (a: string, b: string): string =>
  keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** A tree over these leaves, in their order: its root, and each leaf's path. A node without a partner moves up. */
export function merkleTree(leaves: readonly Leaf[]): { root: string; proofs: string[][] } {
  const proofs: string[][] = leaves.map(() => []);
  let level = leaves.map((leaf, index) => ({ hash: leafHash(leaf), below: [index] }));
  while (level.length > 1) {
    const above: typeof level = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (!left) throw new Error("an empty tree has no root");
      if (!right) above.push(left);
      else {
        for (const index of left.below) proofs[index]?.push(right.hash);
        for (const index of right.below) proofs[index]?.push(left.hash);
        above.push({ hash: pairHash(left.hash, right.hash), below: [...left.below, ...right.below] });
      }
    }
    level = above;
  }
  const [top] = level;
  if (!top) throw new Error("an empty tree has no root");
  return { root: top.hash, proofs };
}

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
