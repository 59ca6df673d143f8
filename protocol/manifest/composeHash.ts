import type { Crypto } from "../crypto/crypto.ts";
import { toHex, type ComposeHash } from "../words/hex.ts";

/** SHA-256 of the manifest's raw bytes. No canonical form is applied. */
export async function composeHash(manifest: Uint8Array, crypto: Crypto): Promise<ComposeHash> {
  return toHex(await crypto.digest("SHA-256", manifest)) as ComposeHash;
}
