import type { ContractTransactionResponse, Wallet } from "ethers";

import { compactSignature } from "../../../protocol/words/compactSignature.ts";
import type { Hex } from "../../../protocol/words/hex.ts";
import { signBatch, type BatchStatement, type Leaf } from "./batches.ts";
import type { Charter } from "./charter.ts";
import { DAY, signInstance } from "./verdicts.ts";

/** Where a signature was given, if not here. */
interface Elsewhere {
  readonly ledger?: string;
  readonly chainId?: number;
}

/** Posts a batch over the newest block, signed by the first two members; `over` says what is special about it. */
export async function postBatch(
  charter: Charter,
  root: string,
  over: Partial<Omit<BatchStatement, "root" | "ledger">> = {},
  { signatures, ledger, chainId }: Elsewhere & { readonly signatures?: string[] } = {},
): Promise<ContractTransactionResponse> {
  const { attestationLedger, connection, members } = charter;
  const newest = await connection.ethers.provider.getBlock("latest");
  const known =
    over.minBlock === undefined ? newest : await connection.ethers.provider.getBlock(over.minBlock);
  const statement: BatchStatement = {
    ledger: ledger ?? (await attestationLedger.getAddress()),
    root,
    count: 1,
    validUntil: BigInt(newest?.timestamp ?? 0) + DAY,
    minBlock: BigInt(newest?.number ?? 0),
    blockHash: known?.hash ?? newest?.hash ?? "",
    ...over,
  };
  const { count, validUntil, minBlock, blockHash } = statement;
  const given = signatures ?? (await signBatch(charter, statement, members.slice(0, 2), chainId));
  return attestationLedger.postBatch(root, count, validUntil, minBlock, blockHash, given);
}

/** The bound key's consent to be entered by this leaf. */
export async function signLeaf(
  charter: Charter,
  key: Wallet,
  { app, evidenceDigest }: Leaf,
  at: Elsewhere = {},
): Promise<[r: string, vs: string]> {
  const [r, vs] = compactSignature(
    (await signInstance(charter, key, { subject: app, evidenceDigest }, at)) as Hex,
  );
  return [r, vs];
}
