import { keccak256 } from "../../crypto/keccak.ts";
import type { Bytes32 } from "../../words/hex.ts";
import { parseQuote } from "./parseQuote.ts";

/**
 * The evidence digest of a TDX or SGX quote: keccak256 of its signed part (header ‖ body, of version 5 with its body
 * descriptor). What follows can be written in more than one way (an ECDSA signature's s and n − s, padding, white space
 * in PEM) and would give one piece of evidence many digests. @throws EvidenceError `evidence/quote-format`.
 */
export const quoteDigest = (quote: Uint8Array): Bytes32 => keccak256(parseQuote(quote).signed);
