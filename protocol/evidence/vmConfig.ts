import * as z from "zod/mini";

import type { Bytes32 } from "../words/hex.ts";
import { parseStrictJson } from "../words/strictJson.ts";
import { EvidenceError } from "./EvidenceError.ts";

const schema = z.looseObject({
  /** dstack's configuration document, exact text: MRCONFIGID of version 3, and HOST_DATA, are its hash. */
  mr_config: z.optional(z.string().check(z.maxLength(65_536))),
  os_image_hash: z.optional(
    z.string().check(z.regex(/^(?:0x)?[0-9a-fA-F]{64}$/, "expected 32 bytes of hex")),
  ),
});

/** What is read of dstack's VM configuration. Nothing signs it: what it says is compared with what was measured. */
export interface VmConfig {
  readonly osImageHash: Bytes32 | null;
  readonly document?: string;
}

/** Parses a VM configuration. @throws EvidenceError `evidence/vm-config-format`. */
export function parseVmConfig(text: string): VmConfig {
  let json: unknown;
  try {
    json = parseStrictJson(text, "VM configuration");
  } catch (error) {
    throw new EvidenceError("vm-config-format", error instanceof Error ? error.message : "expected JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new EvidenceError("vm-config-format", "expected a VM configuration with os_image_hash");
  }
  const { os_image_hash, mr_config: document } = parsed.data;
  const hash = os_image_hash?.toLowerCase();
  const osImageHash = hash === undefined ? null : ((hash.startsWith("0x") ? hash : `0x${hash}`) as Bytes32);
  return { osImageHash, ...(document === undefined ? {} : { document }) };
}
