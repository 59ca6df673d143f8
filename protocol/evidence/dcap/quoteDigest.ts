import { sha256 } from "@noble/hashes/sha2.js";

import { parseCertificate } from "../../der/certificate.ts";
import { splitPem } from "../../der/pem.ts";
import { toHex, type Bytes32, type PlatformId } from "../../words/hex.ts";
import { evidenceDigest } from "./evidenceDigest.ts";
import { parseQuote } from "./parseQuote.ts";
import { readPckExtensions } from "./pckExtensions.ts";

/**
 * The evidence digest of a TDX or SGX quote: keccak256(keccak256(signed part) ‖ platform id), where the signed part is
 * header ‖ body (of version 5 with its body descriptor) and the platform id SHA-256 of the PPID in its PCK certificate.
 *
 * What follows the signed part can be written in more than one way (an ECDSA signature's s and n − s, padding, white space
 * in PEM) and would give one piece of evidence many digests. The signed part alone names no platform: whoever chooses a
 * guest's report data has the same report signed on two machines, and could show one machine's quote as evidence that
 * those who judged the other's had lied. @throws EvidenceError `evidence/quote-format`, DerError.
 */
export function quoteDigest(quote: Uint8Array): Bytes32 {
  const { signed, pckChain } = parseQuote(quote);
  const { ppid } = readPckExtensions(parseCertificate(splitPem(pckChain)[0] as Uint8Array));
  return evidenceDigest(signed, toHex(sha256(ppid)) as PlatformId);
}
