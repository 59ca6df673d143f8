import { keccak256, stringToHex } from "viem";
import { z } from "zod";

import type { Address, Hex } from "../words/hex.ts";
import { nodeRegistryDomain } from "./domains.ts";

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const word = z.string().min(1).max(128);

/** What a node says of itself: claims, by its own key. Nothing is granted for them. */
export const nodeReportSchema = z.strictObject({
  capacity: z.strictObject({
    cpus: count,
    memoryMb: count,
    /** Of the disk that keeps the guests' files. */
    diskMb: count,
    diskFreeMb: count,
    /** Guests that it would run at once; null: as many as are placed. */
    maxGuests: count.nullable(),
  }),
  /** Guests that run now. */
  guests: count,
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
  /** GPUs that the machine shows; their architecture and driver where NVIDIA's collector answers. */
  gpus: z.array(z.strictObject({ arch: word.nullable(), driver: word.nullable() })).max(16),
  /** What will keep it from running guests soon, or does already. */
  trouble: z.array(z.strictObject({ code: word, note: z.string().max(500) })).max(32),
});
export type NodeReport = z.infer<typeof nodeReportSchema>;

const MAX_REPORT_CHARACTERS = 16_384;

/** `POST /nodes/:key/report`: the report's exact text, and the node key's signature over it. → 202 `{}`. */
export const nodeReportMessageSchema = z.strictObject({
  report: z.string().max(MAX_REPORT_CHARACTERS),
  at: count,
  signature: z.string().regex(/^0x[0-9a-f]{130}$/) as z.ZodType<Hex>,
});
/** The same is what `GET /nodes/:key/report` answers: whoever reads it can check the signature. */
export type NodeReportMessage = z.infer<typeof nodeReportMessageSchema>;

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
