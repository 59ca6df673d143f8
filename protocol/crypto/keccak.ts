import { keccak_256 } from "@noble/hashes/sha3.js";

import { concatBytes } from "../words/bytes.ts";
import { toHex, type Bytes32 } from "../words/hex.ts";

/** Ethereum's keccak256 over the parts, one after another. */
export type Keccak256 = (...parts: readonly Uint8Array[]) => Bytes32;

/**
 * keccak256 in JavaScript: synchronous, and the same in Node and in browsers; viem's own brings its whole error hierarchy
 * into a verifier's bundle.
 */
export const keccak256: Keccak256 = (...parts) => toHex(keccak_256(concatBytes(...parts))) as Bytes32;
