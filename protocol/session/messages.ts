import { z } from "zod";

import type { Address, Bytes32, ComposeHash, Hex, PlatformId } from "../words/hex.ts";
import { nodeReportMessageSchema } from "./nodeReport.ts";

/**
 * What workers and relayers say to each other over HTTP (JSON). Unknown fields are refused. A refusal is
 * `{ "error": { code, message, details, docs } }` with a 4xx status (see CharterError.toJSON).
 */
const hex = <T extends Hex>(bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `expected 0x and ${bytes} bytes of hex`)
    .transform((value) => value.toLowerCase() as T);
export const addressSchema = hex<Address>(20);
export const bytes32Schema = hex<Bytes32>(32);
export const composeHashSchema = hex<ComposeHash>(32);
export const platformIdSchema = hex<PlatformId>(32);
export const signatureSchema = hex<Hex>(65);
const uint = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const blockSchema = z.strictObject({ number: uint, hash: bytes32Schema, timestamp: uint });

/**
 * The evidence envelope (protocol/evidence parses its inside). `blockNumber`/`blockHash`: the finalized block that
 * the report data binds.
 */
export const evidenceSchema = z.strictObject({
  kind: z.enum(["tdx", "sgx", "snp", "nitro"]),
  quote: z.string().max(2 + 2 * 65_536),
  eventLog: z.string().max(1_048_576),
  vmConfig: z.string().max(65_536),
  /** NVIDIA's list of GPU reports, exact text: its digest is the second half of the report data. Absent: no GPU. */
  gpu: z.string().max(1_048_576).optional(),
  blockNumber: uint,
  blockHash: bytes32Schema,
});
export type EvidenceMessage = z.infer<typeof evidenceSchema>;

/** `GET /chain` → where this relayer stands. */
export const chainInfoSchema = z.strictObject({
  chainId: uint,
  genesisHash: bytes32Schema,
  appRegistry: addressSchema,
  nodeRegistry: addressSchema,
  ledger: addressSchema,
  committeeVerifier: addressSchema,
  finalized: blockSchema,
  head: blockSchema,
});
export type ChainInfo = z.infer<typeof chainInfoSchema>;

/** `POST /nodes`: register (or, for a known key, renew) a platform. → 202 `{ intent }`. */
export const nodeRegistrationSchema = z.strictObject({
  operator: addressSchema,
  key: addressSchema,
  evidence: evidenceSchema,
  operatorSignature: signatureSchema,
  keySignature: signatureSchema,
});
export type NodeRegistration = z.infer<typeof nodeRegistrationSchema>;

/** `GET /nodes/:key` → the node as the final block has it, 404 `node/unknown` until then. */
export const nodeInfoSchema = z.strictObject({
  number: uint,
  key: addressSchema,
  operator: addressSchema,
  platformId: platformIdSchema,
  expiresAt: uint,
  retired: z.boolean(),
});
export type NodeInfo = z.infer<typeof nodeInfoSchema>;

/**
 * Query of `GET /nodes/:key/placements`. With `unlike`, the digest of placements that the node knows
 * (protocol/session/placementsDigest.ts), the answer waits for others, for some seconds.
 */
export const placementsQuerySchema = z.strictObject({ unlike: bytes32Schema.optional() });

/** A release in its grace, which may go on in a slot until the placed one has a lease there, and no longer than `until`. */
const predecessorSchema = z.strictObject({ release: uint, composeHash: composeHashSchema, until: uint });
const placed = { app: addressSchema, release: uint, composeHash: composeHashSchema, slot: uint };

/** `GET /nodes/:key/placements` → what this node should run, as of `block`. */
export const placementsSchema = z.strictObject({
  block: blockSchema,
  placements: z.array(z.strictObject({ ...placed, predecessor: predecessorSchema.optional() })),
});
export type Placements = z.infer<typeof placementsSchema>;

/** `POST /drains`: an operator's word on a node of theirs; `signature` is over protocol/placement/drain.ts. → 202 `{}`. */
export const drainSchema = z.strictObject({
  node: uint,
  draining: z.boolean(),
  at: uint,
  signature: signatureSchema,
});
export type DrainMessage = z.infer<typeof drainSchema>;

/** A node that takes on nothing new: why, since when, and its own report that says so (protocol/placement/closedNode.ts). */
const closedNodeSchema = z.strictObject({
  node: uint,
  reason: z.string().min(1).max(128),
  since: uint,
  report: nodeReportMessageSchema,
});

/**
 * `GET /placements?app=` → what should run where as of `block`, with all that it follows from beside the chain: operators'
 * words on drains and nodes' words on themselves, each with its signature, and the nodes that this relayer does not hear.
 */
export const placementReportSchema = z.strictObject({
  block: blockSchema,
  drains: z.array(drainSchema),
  silent: z.array(uint),
  closed: z.array(closedNodeSchema),
  placements: z.array(z.strictObject({ ...placed, node: uint, predecessor: predecessorSchema.nullable() })),
});
export type PlacementReport = z.infer<typeof placementReportSchema>;

/** `GET /apps/:app/releases/:number` → the release as the final block has it, 404 `release/unknown` until then. */
export const releaseInfoSchema = z.strictObject({
  number: uint,
  composeHash: composeHashSchema,
  /** SHA-256 of the note; zero where the release has none. */
  noteDigest: bytes32Schema,
});
export type ReleaseInfo = z.infer<typeof releaseInfoSchema>;

/** `POST /instances`: evidence of a started guest. → 202 `{ release, intent }`, or a typed refusal. */
export const instanceRegistrationSchema = z.strictObject({
  app: addressSchema,
  node: uint,
  key: addressSchema,
  evidence: evidenceSchema,
  keySignature: signatureSchema,
});
export type InstanceRegistration = z.infer<typeof instanceRegistrationSchema>;

/**
 * Answer to `POST /nodes` and `POST /instances`: the evidence is accepted, and `intent` names the effect that it will have
 * on chain (its idempotency key). The effect is kept with the acceptance; its proof and transaction follow, alone or in a
 * batch, so no transaction need exist yet.
 */
export const acceptedSchema = z.strictObject({ intent: bytes32Schema, release: uint.optional() });
export type Accepted = z.infer<typeof acceptedSchema>;

/** `POST /leases`: `signature` is the instance key's EIP-712 LeaseRequest(app, nonce). */
export const leaseRequestSchema = z.strictObject({
  app: addressSchema,
  key: addressSchema,
  nonce: bytes32Schema,
  signature: signatureSchema,
});
export type LeaseRequest = z.infer<typeof leaseRequestSchema>;

/** Answer to `POST /leases`. A denial is 403 `lease/denied` with `details.reason`. */
export const signedLeaseSchema = z.strictObject({
  lease: z.strictObject({
    app: addressSchema,
    key: addressSchema,
    release: uint,
    composeHash: composeHashSchema,
    nonce: bytes32Schema,
    maxSeconds: uint,
  }),
  path: z.array(bytes32Schema).max(32),
  blockNumber: uint.transform(BigInt),
  blockHash: bytes32Schema,
  signature: signatureSchema,
});

/**
 * `POST /committee/sign`: each signer verifies the evidence itself and answers with its own verdict. `validUntil` caps
 * the answer's: collateral that two signers fetched at different times ends at different times, and signatures only
 * add up over one and the same verdict. A signer never answers with a longer validity than it found.
 */
export const committeeRequestSchema = z.discriminatedUnion("purpose", [
  z.strictObject({
    purpose: z.literal("instance"),
    app: addressSchema,
    key: addressSchema,
    evidence: evidenceSchema,
    validUntil: uint,
  }),
  z.strictObject({
    purpose: z.literal("node"),
    operator: addressSchema,
    key: addressSchema,
    evidence: evidenceSchema,
    validUntil: uint,
  }),
]);
export type CommitteeRequest = z.infer<typeof committeeRequestSchema>;

/**
 * `POST /committee/judge`: evidence of several instances, before a batch of them is signed. The signer verifies each for
 * itself and keeps what it found; it answers for each with its verdict or the code of its refusal, in order.
 */
export const committeeJudgeSchema = z.strictObject({
  items: z
    .array(z.strictObject({ app: addressSchema, key: addressSchema, evidence: evidenceSchema }))
    .min(1)
    .max(256),
});
export type CommitteeJudgeRequest = z.infer<typeof committeeJudgeSchema>;

const leafSchema = z.strictObject({
  app: addressSchema,
  key: addressSchema,
  facts: bytes32Schema,
  evidenceDigest: bytes32Schema,
});

/**
 * `POST /committee/sign` for a batch: the signer compares every leaf with the verdict that it reached itself and with
 * its own chain, and signs the Merkle root of all of them (protocol/session/batch.ts), or nothing.
 */
export const committeeBatchSchema = z.strictObject({
  purpose: z.literal("batch"),
  validUntil: uint,
  minBlock: uint,
  blockHash: bytes32Schema,
  leaves: z.array(leafSchema).min(1).max(4_096),
});
export type CommitteeBatchRequest = z.infer<typeof committeeBatchSchema>;

/** What a signer may be asked to sign. */
export const committeeSignSchema = z.discriminatedUnion("purpose", [
  ...committeeRequestSchema.options,
  committeeBatchSchema,
]);

/** Answer of a signer: numbers of the verdict as JSON numbers, see protocol/session/verdict.ts. */
export const verdictMessageSchema = z.strictObject({
  consumer: addressSchema,
  subject: addressSchema,
  key: addressSchema,
  evidenceBlock: uint,
  evidenceBlockHash: bytes32Schema,
  platformId: platformIdSchema,
  composeHash: bytes32Schema,
  osImageHash: bytes32Schema,
  measurementDigest: bytes32Schema,
  pinnedMeasurementDigest: bytes32Schema,
  kind: uint,
  status: uint,
  advisoriesDigest: bytes32Schema,
  evidenceDigest: bytes32Schema,
  gpuDigest: bytes32Schema,
  validUntil: uint,
  simulated: z.boolean(),
});
export type VerdictMessage = z.infer<typeof verdictMessageSchema>;
export const committeeAnswerSchema = z.strictObject({
  verdict: verdictMessageSchema,
  signer: addressSchema,
  signature: signatureSchema,
});
export type CommitteeAnswer = z.infer<typeof committeeAnswerSchema>;

/** Answer to `POST /committee/judge`. */
export const committeeJudgedSchema = z.strictObject({
  judged: z.array(
    z.union([
      z.strictObject({ verdict: verdictMessageSchema }),
      z.strictObject({ refused: z.string().max(100) }),
    ]),
  ),
});
export type CommitteeJudged = z.infer<typeof committeeJudgedSchema>;

/** A signer's answer for a batch. */
export const batchAnswerSchema = z.strictObject({
  root: bytes32Schema,
  signer: addressSchema,
  signature: signatureSchema,
});
export type BatchAnswer = z.infer<typeof batchAnswerSchema>;
