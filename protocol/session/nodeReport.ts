import { keccak256, stringToHex } from "viem";
import { z } from "zod";

import type { Address, Hex } from "../words/hex.ts";
import { nodeRegistryDomain } from "./domains.ts";

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const word = z.string().min(1).max(128);
const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/, "expected an address in lower case")
  .transform((text) => text as Address);

/**
 * What a node says of itself: claims, by its own key. Nothing is granted for them; what speaks against the node is heeded
 * (protocol/placement/closedNode.ts).
 */
export const nodeReportSchema = z.strictObject({
  capacity: z.strictObject({
    cpus: count,
    memoryMb: count,
    /** Of the disk that keeps the guests' files. */
    diskMb: count,
    diskFreeMb: count,
    /** Slots that it takes on at once; null: as many as are placed. */
    maxGuests: count.nullable(),
  }),
  /** Guests that run now. */
  guests: count,
  /** The app of each slot that it has taken on, once for each; null before it has asked what to run. */
  apps: z.array(address).max(512).nullable(),
  /** Sources of evidence that were found, and whether this program can use them. */
  tees: z
    .array(
      z.strictObject({
        kind: z.enum(["tdx", "sgx", "snp", "nitro"]),
        source: z.enum(["dstack", "tsm", "nsm", "simulator"]),
        isUsable: z.boolean(),
      }),
    )
    .max(16),
  /**
   * GPUs that the machine shows. Model: the driver's name for it. The rest is from the GPU's own evidence, and null where it
   * gave none: architecture, driver, and in which way it is confidential (protocol/evidence/gpu/opaqueData.ts).
   */
  gpus: z
    .array(
      z.strictObject({
        model: word.nullable(),
        arch: word.nullable(),
        driver: word.nullable(),
        mode: z.enum(["spt", "mpt", "ppcie", "unstated"]).nullable(),
      }),
    )
    .max(16),
  /** What will keep it from running guests soon, or does already; `isBlocking`: it should be given no further guest now. */
  trouble: z
    .array(z.strictObject({ code: word, note: z.string().max(500), isBlocking: z.boolean() }))
    .max(32),
});
export type NodeReport = z.infer<typeof nodeReportSchema>;

const MAX_REPORT_CHARACTERS = 65_536;

/** `POST /nodes/:key/report`: the report's exact text, and the node key's signature over it. → 202 with an outlook. */
export const nodeReportMessageSchema = z.strictObject({
  report: z.string().max(MAX_REPORT_CHARACTERS),
  at: count,
  signature: z.string().regex(/^0x[0-9a-f]{130}$/) as z.ZodType<Hex>,
});
/** The same is what `GET /nodes/:key/report` answers: whoever reads it can check the signature. */
export type NodeReportMessage = z.infer<typeof nodeReportMessageSchema>;

/**
 * What this relayer foresees for the evidence of a node, and of GPUs of guests on it, within a week: the check that refuses
 * it today, what the set that its vendor announces makes of it, and what of its collateral ends.
 */
export const outlookSchema = z.strictObject({
  /** Unix seconds: when the relayer looked. */
  lookedAt: count,
  trouble: z
    .array(
      z.strictObject({
        reason: z.enum(["refused", "next-set", "ending"]),
        what: word,
        /** Unix seconds; null where it is so now, or from the announced set on. */
        at: count.nullable(),
      }),
    )
    .max(64),
});
export type Outlook = z.infer<typeof outlookSchema>;

/** Answer to a report, and of `GET /nodes/:key/outlook`: null until the relayer has looked. */
export const outlookAnswerSchema = z.strictObject({ outlook: outlookSchema.nullable() });

const nodeReportTypes = {
  NodeReport: [
    { name: "reportHash", type: "bytes32" },
    { name: "at", type: "uint64" },
  ],
} as const;

/** What the node's key signs (EIP-712), in the domain of the NodeRegistry. */
export const nodeReportTypedData = (
  chainId: number,
  nodeRegistry: Address,
  { report, at }: Pick<NodeReportMessage, "report" | "at">,
) =>
  ({
    domain: nodeRegistryDomain(chainId, nodeRegistry),
    types: nodeReportTypes,
    primaryType: "NodeReport",
    message: { reportHash: keccak256(stringToHex(report)), at: BigInt(at) },
  }) as const;
