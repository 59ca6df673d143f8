import { sha256 } from "@noble/hashes/sha2.js";

import { keccak256 } from "../../crypto/keccak.ts";
import { fromHex, type Bytes32 } from "../../words/hex.ts";
import { quoteDigest } from "../dcap/quoteDigest.ts";
import { quoteBytes } from "../dcap/quoteBytes.ts";
import type { Evidence } from "../evidence.ts";
import { parseNitroDocument } from "../nitro/parseDocument.ts";
import { parseSnpReport, SNP_REPORT_BYTES } from "../snp/parseReport.ts";

/**
 * Digest of evidence of any kind: keccak256(keccak256(signed part) ‖ platform id), so that one piece of evidence has one
 * digest however its signature or its certificates are written, and none is another machine's (`quoteDigest` says why).
 *
 * TDX and SGX: `quoteDigest`. SEV-SNP: the signed 672 bytes of the report, and SHA-256 of its chip id. Nitro: the signed
 * Sig_structure, and zero, as a document names no machine.
 * @throws EvidenceError `evidence/quote-format`, `evidence/snp-report-format`, `evidence/nitro-format`; DerError.
 */
export function evidenceDigest({ kind, quote }: Pick<Evidence, "kind" | "quote">): Bytes32 {
  const bytes = quoteBytes(quote);
  switch (kind) {
    case "tdx":
    case "sgx":
      return quoteDigest(bytes);
    case "snp": {
      const { signed, chipId } = parseSnpReport(bytes.subarray(0, SNP_REPORT_BYTES));
      return digestOf(signed, sha256(chipId));
    }
    case "nitro":
      return digestOf(parseNitroDocument(bytes).signed, new Uint8Array(32));
  }
}

const digestOf = (signed: Uint8Array, platform: Uint8Array): Bytes32 =>
  keccak256(fromHex(keccak256(signed)), platform);
