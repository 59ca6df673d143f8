import * as z from "zod/mini";

import type { Crypto } from "../../crypto/crypto.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { concatBytes, equalBytes } from "../../words/bytes.ts";
import { parseHex, type Address, type ComposeHash, type Hex } from "../../words/hex.ts";
import { parseStrictJson } from "../../words/strictJson.ts";

/** What dstack's configuration document of version 3 says of an app; the launch binds its exact text. */
export interface MrConfigDocument {
  readonly composeHash: ComposeHash;
  readonly appId: Address | null;
  readonly instanceId: Hex | null;
  readonly keyProvider: string | null;
  /** Null where it pins none: dstack writes "" or leaves it out. */
  readonly keyProviderId: Hex | null;
}

const DOMAIN = new TextEncoder().encode("dstack-mr-config-v3:\0");
const MAX_DOCUMENT = 65_536;

const hex = (bytes: number) =>
  z.string().check(z.regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`), `expected ${bytes} bytes of hex`));

const schema = z.looseObject({
  version: z.literal(3),
  compose_hash: hex(32),
  app_id: z.optional(hex(20)),
  instance_id: z.optional(z.union([hex(20), z.literal("")])),
  key_provider: z.optional(z.string()),
  key_provider_id: z.optional(z.string().check(z.regex(/^(?:[0-9a-fA-F]{2})*$/, "expected hex"))),
});

/**
 * SHA-256 over "dstack-mr-config-v3:", a zero byte and the document's text: HOST_DATA of an SEV-SNP guest, and after
 * 0x03 MRCONFIGID of a TD (dstack-types/src/mr_config.rs, `MrConfigV3::hash_document`). The text is hashed as it is,
 * never in a canonical form.
 */
export const mrConfigHash = (document: string, crypto: Crypto): Promise<Uint8Array> =>
  crypto.digest("SHA-256", concatBytes(DOMAIN, new TextEncoder().encode(document)));

/** Whether these 32 bytes of HOST_DATA bind this document. */
export const hostDataMatches = async (
  hostData: Uint8Array,
  document: string,
  crypto: Crypto,
): Promise<boolean> => equalBytes(hostData, await mrConfigHash(document, crypto));

/**
 * Reads the fields that Charter knows. Others (`gpu_policy_hash`, hashes of init scripts) are bound by
 * the hash like these, and not judged. @throws CharterError `mr-config/malformed`, `json/malformed`.
 */
export function parseMrConfig(document: string): MrConfigDocument {
  if (document.length > MAX_DOCUMENT) {
    throw new CharterError("mr-config/malformed", `expected at most ${MAX_DOCUMENT} characters`, {
      actual: document.length,
    });
  }
  const parsed = schema.safeParse(parseStrictJson(document, "configuration document"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CharterError("mr-config/malformed", "expected a configuration document of version 3", {
      path: issue?.path.join("."),
      reason: issue?.message,
    });
  }
  const { compose_hash, app_id, instance_id, key_provider, key_provider_id } = parsed.data;
  return {
    composeHash: parseHex(`0x${compose_hash}`, 32) as ComposeHash,
    appId: app_id === undefined ? null : (parseHex(`0x${app_id}`, 20) as Address),
    instanceId: instance_id ? parseHex(`0x${instance_id}`, 20) : null,
    keyProvider: key_provider ?? null,
    keyProviderId: key_provider_id ? parseHex(`0x${key_provider_id}`) : null,
  };
}
