import * as z from "zod/mini";

import { keccak256 } from "../crypto/keccak.ts";
import type { Crypto } from "../crypto/crypto.ts";
import { CharterError } from "../errors/CharterError.ts";
import { concatBytes, equalBytes, isZero } from "../words/bytes.ts";
import { fromHex, toHex, type Hex } from "../words/hex.ts";
import { parseStrictJson } from "../words/strictJson.ts";
import type { BootFacts } from "./eventlog/eventLog.ts";
import { mrConfigHash, parseMrConfig } from "./snp/hostData.ts";

/** What the guest measured of itself before `system-ready`, with the document that V3 needs. */
export interface MrConfigFacts extends Pick<
  BootFacts,
  "appId" | "composeHash" | "instanceId" | "keyProvider"
> {
  /** Exact text of dstack's configuration document. */
  readonly document?: string;
}

/** 0: the host set none. */
export type MrConfigVersion = 0 | 1 | 2 | 3;

const BYTES = 48;

/**
 * How a key provider is called in the event `key-provider`, in a configuration document, and as a byte under V2
 * (dstack-types/src/mr_config.rs, `key_provider_name`, `KeyProviderKind`, `key_provider_kind_byte`).
 */
const KEY_PROVIDERS: readonly { readonly event: string; readonly kind: string; readonly byte: number }[] = [
  { event: "none", kind: "none", byte: 0 },
  { event: "local-sgx", kind: "local", byte: 1 },
  { event: "kms", kind: "kms", byte: 2 },
  { event: "tpm", kind: "tpm", byte: 3 },
  { event: "amd-snp-derived", kind: "snp_derived", byte: 4 },
];
const MAX_KEY_PROVIDER = 4_096;

const keyProviderSchema = z.strictObject({
  name: z.string(),
  id: z.string().check(z.regex(/^(?:[0-9a-fA-F]{2})*$/, "expected hex")),
});

/**
 * Version of a TD's MRCONFIGID. @throws CharterError `mr-config/malformed` where it is not 48 bytes,
 * `mr-config/unknown-version`.
 */
export function mrConfigVersion(mrConfigId: Uint8Array): MrConfigVersion {
  if (mrConfigId.length !== BYTES) throw malformed(`${BYTES} bytes`, { actual: mrConfigId.length });
  if (isZero(mrConfigId)) return 0;
  const [version] = mrConfigId;
  if (version === 1 || version === 2 || version === 3) return version;
  throw new CharterError("mr-config/unknown-version", "expected MRCONFIGID of version 1, 2 or 3", {
    actual: version,
  });
}

/**
 * Whether MRCONFIGID is what dstack's host sets for a guest of these facts; the rest of the 48 bytes must be zero.
 * - V1: 0x01 ‖ compose hash.
 * - V2: 0x02 ‖ keccak256(compose hash ‖ app id ‖ kind of key provider ‖ its id).
 * - V3: 0x03 ‖ hash of a document, which must come along and may not contradict the facts. It may leave out app id,
 *   instance id and the key provider's id; then it does not bind them. Hashes of GPU policy and init scripts are bound
 *   by the document's hash, and not judged.
 * - All zeros match any facts, as in dstack, and bind nothing: `mrConfigVersion` is 0.
 * @throws CharterError `mr-config/unknown-version`, `mr-config/malformed` (of MRCONFIGID, key provider or document),
 * `mr-config/document-missing`, `json/malformed`.
 */
export async function matchesMrConfigId(
  mrConfigId: Uint8Array,
  facts: MrConfigFacts,
  crypto: Crypto,
): Promise<boolean> {
  const version = mrConfigVersion(mrConfigId);
  switch (version) {
    case 0:
      return true;
    case 1:
      return isVersion(mrConfigId, 1, fromHex(facts.composeHash));
    case 2:
      return isVersion(mrConfigId, 2, fromHex(keccak256(mrConfigPreimage(facts))));
    case 3: {
      const { document } = facts;
      if (document === undefined) {
        throw new CharterError("mr-config/document-missing", "expected the document that V3 is the hash of");
      }
      return isVersion(mrConfigId, 3, await mrConfigHash(document, crypto)) && agrees(document, facts);
    }
  }
}

function isVersion(mrConfigId: Uint8Array, version: number, digest: Uint8Array): boolean {
  const expected = new Uint8Array(BYTES);
  expected[0] = version;
  expected.set(digest, 1);
  return equalBytes(mrConfigId, expected);
}

/**
 * What MRCONFIGID of version 2 is the keccak256 of: compose hash ‖ app id ‖ kind of key provider ‖ its id.
 * @throws CharterError `mr-config/malformed`, `json/malformed`.
 */
export function mrConfigPreimage(facts: MrConfigFacts): Uint8Array {
  const { byte, id } = keyProviderOf(facts.keyProvider);
  // Nothing but the last part has a length of its own, so no two sets of facts are the same bytes.
  return concatBytes(fromHex(facts.composeHash), fromHex(facts.appId), Uint8Array.of(byte), fromHex(id));
}

/** A field that the document leaves out says nothing; the compose hash and the kind of key provider must stand there. */
function agrees(text: string, facts: MrConfigFacts): boolean {
  const document = parseMrConfig(text);
  const { kind, id } = keyProviderOf(facts.keyProvider);
  return (
    document.composeHash === facts.composeHash &&
    document.keyProvider === kind &&
    (document.appId ?? facts.appId) === facts.appId &&
    (document.instanceId ?? facts.instanceId) === facts.instanceId &&
    (document.keyProviderId ?? id) === id
  );
}

function keyProviderOf(payload: Uint8Array): { kind: string; byte: number; id: Hex } {
  if (payload.length > MAX_KEY_PROVIDER) throw malformed("a short key provider", { actual: payload.length });
  // Bytes that are no UTF-8 become U+FFFD, which stands in no name of a provider and in no hex.
  const text = new TextDecoder().decode(payload);
  const parsed = keyProviderSchema.safeParse(parseStrictJson(text, "key provider"));
  if (!parsed.success) throw malformed("name and id of a key provider");
  const { name, id } = parsed.data;
  const provider = KEY_PROVIDERS.find(({ event }) => event === name);
  if (!provider) throw malformed("a key provider that dstack has", { actual: name });
  return { kind: provider.kind, byte: provider.byte, id: toHex(fromHex(`0x${id}`)) };
}

const malformed = (expected: string, detail: Record<string, unknown> = {}): CharterError =>
  new CharterError("mr-config/malformed", `expected ${expected}`, detail);
