import { recover, signRecoverable } from "tiny-secp256k1";

import { fromHex, toHex } from "../../protocol/words/hex.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";

/**
 * libsecp256k1, which recovers a signer seven times as fast as the curve in JavaScript that viem has, and signs four times
 * as fast. For services: browsers and workers, who check a signature now and then, keep viem's.
 */

/** r ‖ s ‖ v and nothing shorter: the compact form (EIP-2098) is no other's to guess here. */
const SIGNATURE = /^0x[0-9a-fA-F]{130}$/;
/** The parity of y by its names: what wallets write, and what it is. */
const PARITY: Readonly<Record<number, 0 | 1>> = { 0: 0, 1: 1, 27: 0, 28: 1 };

/**
 * Whose signature r ‖ s ‖ v over these 32 bytes this is; null where it is nobody's. Either s is taken, as viem takes it:
 * whoever needs one form of a signature asks for it (protocol/words/compactSignature.ts).
 */
export function recoverSigner(digest: Uint8Array, signature: Hex): Address | null {
  if (!SIGNATURE.test(signature)) return null;
  const bytes = fromHex(signature);
  const parity = PARITY[bytes[64] as number];
  if (parity === undefined) return null;
  try {
    const point = recover(digest, bytes.subarray(0, 64), parity, false);
    return point === null ? null : addressOf(point);
  } catch {
    return null; // Numbers that are none of the curve's.
  }
}

/** The signature r ‖ s ‖ v over 32 bytes: deterministic (RFC 6979), with s in the lower half of the order. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Hex {
  const { signature, recoveryId } = signRecoverable(digest, privateKey);
  return `${toHex(signature)}${recoveryId === 0 ? "1b" : "1c"}`;
}

/** @param point uncompressed, 65 bytes. */
const addressOf = (point: Uint8Array): Address => `0x${keccak256(point.subarray(1)).slice(26)}` as Address;
