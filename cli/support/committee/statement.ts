import {
  decodeAbiParameters,
  decodeFunctionData,
  encodeAbiParameters,
  keccak256,
  parseEventLogs,
  type Hex,
} from "viem";
import { z } from "zod";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { verdictTypes } from "../../../protocol/session/domains.ts";
import {
  addressSchema,
  bytes32Schema,
  signatureSchema,
  verdictMessageSchema,
} from "../../../protocol/session/messages.ts";
import { verdictStruct, type VerdictStruct } from "../../../protocol/session/verdict.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { merkleRoot, multiproofPaths } from "../../../protocol/proof/merkle.ts";
import { readLogs } from "../chainState.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { readJson } from "../jsonFile.ts";

const uint = z.number().int().nonnegative();
const signatures = z.array(signatureSchema).min(1).max(32);
const leafSchema = z.strictObject({
  app: addressSchema,
  key: addressSchema,
  facts: bytes32Schema,
  evidenceDigest: bytes32Schema,
});
type Leaf = z.infer<typeof leafSchema>;

const verdictFileSchema = z.strictObject({ verdict: verdictMessageSchema, signatures });
const leafFileSchema = z.strictObject({
  batch: z.strictObject({ count: uint, validUntil: uint, minBlock: uint, blockHash: bytes32Schema }),
  leaf: leafSchema,
  proof: z.array(bytes32Schema).max(32),
  signatures,
});

/** What a committee signed: a verdict, or a leaf of a batch with its way to the signed root. */
export type Statement =
  | { readonly kind: "verdict"; readonly verdict: VerdictStruct; readonly signatures: readonly Hex[] }
  | {
      readonly kind: "leaf";
      readonly batch: {
        readonly count: number;
        readonly validUntil: number;
        readonly minBlock: bigint;
        readonly blockHash: Bytes32;
      };
      readonly leaf: Leaf;
      readonly proof: readonly Bytes32[];
      readonly signatures: readonly Hex[];
    };

export const evidenceDigestOf = (statement: Statement): Bytes32 =>
  statement.kind === "verdict" ? statement.verdict.evidenceDigest : statement.leaf.evidenceDigest;

/** A statement from a file. @throws CliError `statement/malformed`. */
export function readStatement(path: string): Statement {
  const json = readJson(path);
  const verdict = verdictFileSchema.safeParse(json);
  if (verdict.success) {
    return {
      kind: "verdict",
      verdict: verdictStruct(verdict.data.verdict),
      signatures: verdict.data.signatures,
    };
  }
  const leaf = leafFileSchema.safeParse(json);
  if (!leaf.success) {
    const isLeaf = typeof json === "object" && json !== null && "leaf" in json;
    const { issues } = (isLeaf ? leaf : verdict).error;
    throw new CliError(
      ExitCode.Usage,
      "statement/malformed",
      "expected {verdict, signatures} or {batch, leaf, proof, signatures}",
      { path, issues: issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) },
    );
  }
  const { batch, ...rest } = leaf.data;
  return { kind: "leaf", batch: { ...batch, minBlock: BigInt(batch.minBlock) }, ...rest };
}

/**
 * The statement that a transaction brought onto the chain: registration, renewal or attestation by the committee, or a
 * claim from a batch (whose signatures stand in the transaction that posted it).
 * @param at which leaf of a `claimMany`. @throws CliError `statement/not-in-transaction`, `statement/batch-not-found`.
 */
export async function statementOf(context: Context, transaction: Hex, at = 0): Promise<Statement> {
  const { to, input } = await (await context.client()).getTransaction({ hash: transaction });
  const { nodeRegistry, attestationLedger } = context.deployment();
  const target = to?.toLowerCase();
  if (target === nodeRegistry) {
    const call = decoded(() => decodeFunctionData({ abi: nodeRegistryAbi, data: input }));
    if (call?.functionName === "register") return verdictIn(transaction, call.args[0], call.args[1]);
    if (call?.functionName === "renew") return verdictIn(transaction, call.args[1], call.args[2]);
  }
  if (target === attestationLedger) {
    const call = decoded(() => decodeFunctionData({ abi: attestationLedgerAbi, data: input }));
    if (call?.functionName === "attest") return verdictIn(transaction, call.args[1], call.args[3]);
    if (call?.functionName === "claim")
      return leafIn(context, leafSchema.parse(call.args[0]), call.args[1] as Bytes32[]);
    if (call?.functionName === "claimMany") {
      const leaves = call.args[0].map((leaf) => leafSchema.parse(leaf));
      const paths = multiproofPaths(leaves.map(leafHash), call.args[1] as Bytes32[], call.args[2]);
      const [leaf, path] = [leaves[at], paths[at]];
      if (leaf && path) return leafIn(context, leaf, path);
    }
  }
  throw notThere(transaction);
}

const notThere = (transaction: Hex): CliError =>
  new CliError(
    ExitCode.Usage,
    "statement/not-in-transaction",
    "expected a transaction that brings a committee's word itself; else give it as a file (--statement)",
    { transaction },
  );

function decoded<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}

function verdictIn(transaction: Hex, system: number, proof: Hex): Statement {
  if (system !== ProofSystem.Committee) throw notThere(transaction);
  const [verdict, signatures] = decodeAbiParameters(
    [{ type: "tuple", components: verdictTypes.Verdict }, { type: "bytes[]" }],
    proof,
  );
  return { kind: "verdict", verdict: verdict as unknown as VerdictStruct, signatures };
}

const leafHash = ({ app, key, facts, evidenceDigest }: Leaf): Bytes32 =>
  keccak256(
    keccak256(
      encodeAbiParameters(
        [{ type: "address" }, { type: "address" }, { type: "bytes32" }, { type: "bytes32" }],
        [app, key, facts, evidenceDigest],
      ),
    ),
  ) as Bytes32;

async function leafIn(context: Context, leaf: Leaf, proof: readonly Bytes32[]): Promise<Statement> {
  const root = merkleRoot(leafHash(leaf), proof);
  const client = await context.client();
  const { attestationLedger, startBlock } = context.deployment();
  const head = await client.getBlockNumber({ cacheTime: 0 });
  const logs = await readLogs(client, [attestationLedger], BigInt(startBlock), head);
  const posted = parseEventLogs({ abi: attestationLedgerAbi, eventName: "BatchPosted", logs }).find(
    ({ args }) => args.root === root,
  );
  const { input } = posted ? await client.getTransaction({ hash: posted.transactionHash }) : { input: null };
  const call = input && decoded(() => decodeFunctionData({ abi: attestationLedgerAbi, data: input }));
  if (!call || call.functionName !== "postBatch") {
    throw new CliError(
      ExitCode.Usage,
      "statement/batch-not-found",
      "expected a transaction that posts the leaf's batch itself; else give the statement as a file (--statement)",
      { root },
    );
  }
  const [, count, validUntil, minBlock, blockHash, signatures] = call.args;
  return {
    kind: "leaf",
    batch: { count, validUntil, minBlock, blockHash: blockHash as Bytes32 },
    leaf,
    proof,
    signatures,
  };
}
