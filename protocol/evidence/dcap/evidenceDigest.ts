import { keccak256, type Keccak256 } from "../../crypto/keccak.ts";
import { fromHex, type Bytes32, type PlatformId } from "../../words/hex.ts";

/**
 * keccak256(keccak256(signed part) ‖ platform id): the evidence digest of a quote, where both are known already
 * (`quoteDigest` says why these two, and reads them from a quote).
 */
export const evidenceDigest = (
  signed: Uint8Array,
  platformId: PlatformId,
  keccak: Keccak256 = keccak256,
): Bytes32 => keccak(fromHex(keccak(signed)), fromHex(platformId));
