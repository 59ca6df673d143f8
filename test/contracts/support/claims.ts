import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { id, keccak256, toUtf8Bytes, type TypedDataField, type Wallet } from "ethers";

import { committeeDomain } from "../../../protocol/session/domains.ts";
import { packFacts, type LeafFacts } from "../../../protocol/state/instanceWord.ts";
import { TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { compactSignature } from "../../../protocol/words/compactSignature.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { ascending, walletOf, type Charter } from "./charter.ts";
import { MEASUREMENT, OS_IMAGE, signInstance } from "./verdicts.ts";

export interface BatchLeaf {
  readonly app: string;
  readonly key: string;
  readonly facts: string;
  readonly evidenceDigest: string;
}

export const BATCH_TYPES: Record<string, TypedDataField[]> = {
  Batch: [
    { name: "ledger", type: "address" },
    { name: "root", type: "bytes32" },
    { name: "count", type: "uint32" },
    { name: "validUntil", type: "uint40" },
    { name: "minBlock", type: "uint64" },
    { name: "blockHash", type: "bytes32" },
  ],
};

export interface Batch {
  readonly leaves: readonly BatchLeaf[];
  readonly tree: StandardMerkleTree<[string, string, string, string]>;
  readonly count: number;
  readonly validUntil: bigint;
  readonly minBlock: bigint;
  readonly blockHash: string;
}

/** Keeps the image of the tests' verdicts, and gives its number. */
export async function keepTestImage({ attestationLedger }: Charter): Promise<number> {
  const image = {
    osImageHash: OS_IMAGE,
    measurementDigest: MEASUREMENT,
    pinnedMeasurementDigest: id("pinned measurement"),
    advisoriesDigest: `0x${"00".repeat(32)}`,
  };
  await attestationLedger.keepImage(image);
  return Number(await attestationLedger.imageNumber(image));
}

/** One leaf: instance `name` of an app on node 1, judged over the newest block. */
export async function leafOf(
  charter: Charter,
  app: string,
  name: string,
  image: number,
  over: Partial<LeafFacts> = {},
): Promise<BatchLeaf> {
  const block = await charter.connection.ethers.provider.getBlock("latest");
  if (!block) throw new Error("no block");
  const facts = packFacts({
    release: 1,
    node: 1,
    image,
    kind: TeeKind.Tdx,
    status: TcbStatus.UpToDate,
    simulated: false,
    gpu: false,
    combines: false,
    evidenceBlock: BigInt(block.number),
    expiresAt: block.timestamp + 86_400,
    ...over,
  });
  return {
    app,
    key: walletOf(name).address,
    facts,
    evidenceDigest: keccak256(toUtf8Bytes(`evidence of ${name}`)),
  };
}

/** A batch over these leaves, whose oldest block is the newest one of now. */
export async function batchOf(charter: Charter, leaves: readonly BatchLeaf[]): Promise<Batch> {
  const block = await charter.connection.ethers.provider.getBlock("latest");
  if (!block?.hash) throw new Error("no block");
  const tree = StandardMerkleTree.of(
    leaves.map(({ app, key, facts, evidenceDigest }): [string, string, string, string] => [
      app,
      key,
      facts,
      evidenceDigest,
    ]),
    ["address", "address", "bytes32", "bytes32"],
  );
  return {
    leaves,
    tree,
    count: leaves.length,
    validUntil: BigInt(block.timestamp) + 7_200n,
    minBlock: BigInt(block.number),
    blockHash: block.hash,
  };
}

/** Signatures of these members over a batch, in the order that the contract wants. */
export async function signBatch(
  charter: Charter,
  batch: Batch,
  members: readonly Wallet[] = charter.members.slice(0, 2),
  over: { readonly ledger?: string; readonly count?: number } = {},
): Promise<string[]> {
  const domain = committeeDomain(
    Number(charter.chainId),
    (await charter.committeeVerifier.getAddress()) as Address,
  );
  const message = {
    ledger: over.ledger ?? (await charter.attestationLedger.getAddress()),
    root: batch.tree.root,
    count: over.count ?? batch.count,
    validUntil: batch.validUntil,
    minBlock: batch.minBlock,
    blockHash: batch.blockHash,
  };
  return Promise.all(ascending(members).map((member) => member.signTypedData(domain, BATCH_TYPES, message)));
}

export async function postBatch(charter: Charter, batch: Batch, signatures?: readonly string[]) {
  return charter.attestationLedger.postBatch(
    batch.tree.root,
    batch.count,
    batch.validUntil,
    batch.minBlock,
    batch.blockHash,
    [...(signatures ?? (await signBatch(charter, batch)))],
  );
}

/** Claims leaf `index`, with its key's consent. */
export async function claim(
  charter: Charter,
  batch: Batch,
  index: number,
  name: string,
  over: Partial<BatchLeaf> = {},
) {
  const leaf = { ...batch.leaves[index], ...over } as BatchLeaf;
  const consent = await signInstance(charter, walletOf(name), {
    subject: leaf.app,
    evidenceDigest: leaf.evidenceDigest,
  });
  const [r, vs] = compactSignature(consent as Hex);
  return charter.attestationLedger.claim(leaf, batch.tree.getProof(index), [r, vs]);
}
