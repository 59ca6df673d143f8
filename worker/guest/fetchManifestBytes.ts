import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { composeHash as hashOf } from "../../protocol/manifest/composeHash.ts";
import { MAX_MANIFEST_BYTES } from "../../protocol/manifest/manifest.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import { fetchBytes, type BytePlaces } from "./sources/fetchBytes.ts";

/**
 * A manifest's exact bytes, by their hash, from whoever has the right ones.
 * @throws CharterError `manifest/wrong-hash`, as `fetchBytes`.
 */
export function fetchManifestBytes(
  places: BytePlaces,
  composeHash: ComposeHash,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const check = async (bytes: Uint8Array, source: string): Promise<Uint8Array> => {
    const actual = await hashOf(bytes, nodeCrypto);
    if (actual === composeHash) return bytes;
    throw new CharterError("manifest/wrong-hash", "these are not the bytes of that compose hash", {
      expected: composeHash,
      actual,
      source,
    });
  };
  return fetchBytes(places, { digest: composeHash, maxBytes: MAX_MANIFEST_BYTES, check }, signal);
}
