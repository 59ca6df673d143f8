import { keccak256 } from "../../crypto/keccak.ts";
import { TeeKind } from "../../words/enums.ts";
import { toHex } from "../../words/hex.ts";
import { quoteDigest } from "../dcap/quoteDigest.ts";
import { verifyQuote, type VerifyQuoteOptions } from "../dcap/verifyQuote.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { quoteBytes } from "../dcap/quoteBytes.ts";
import type { Evidence } from "../evidence.ts";
import { requireNoEventLog, requireNoVmConfig } from "./bareEvidence.ts";
import { ZERO_BYTES32, type EvidenceFacts } from "./EvidenceFacts.ts";

/** Where ISVPRODID and ISVSVN stand in an enclave's report (Intel SDM Vol. 3D §38.15). */
const ISV = [256, 260] as const;

/**
 * Verifies an enclave's evidence and says what it says. It binds no manifest (no field of the report is documented to hold
 * a compose hash, and DirectClaim.sol refuses it for the same reason), so `composeHash` is null.
 *
 * `measurementDigest` = keccak256(MRENCLAVE); `pinnedMeasurementDigest` = keccak256(MRENCLAVE ‖ MRSIGNER ‖ ISVPRODID ‖
 * ISVSVN) with both numbers as they stand in the report (contracts/attestation/dcap/QuoteReader.sol is the twin).
 * @throws EvidenceError; `evidence/quote-kind` for a TD's quote.
 */
export async function sgxFacts(evidence: Evidence, options: VerifyQuoteOptions): Promise<EvidenceFacts> {
  requireNoEventLog(evidence);
  requireNoVmConfig(evidence);
  const verified = await verifyQuote(quoteBytes(evidence.quote), options);
  if (verified.kind !== "sgx") {
    const detail = { actual: verified.kind };
    throw new EvidenceError("quote-kind", "expected a quote of an enclave", detail, verified.checks);
  }
  const { raw, mrEnclave, mrSigner, reportData } = verified.report;
  return {
    kind: TeeKind.Sgx,
    status: verified.status,
    advisoryIds: verified.advisoryIds,
    platformId: verified.platformId,
    composeHash: null,
    osImageHash: ZERO_BYTES32,
    measurementDigest: keccak256(mrEnclave),
    pinnedMeasurementDigest: keccak256(mrEnclave, mrSigner, raw.subarray(...ISV)),
    reportData: toHex(reportData),
    evidenceDigest: quoteDigest(verified.quote),
    validUntil: verified.validUntil,
    simulated: verified.simulated,
  };
}
