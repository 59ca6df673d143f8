import { bootFacts, parseEventLog } from "../../protocol/evidence/eventlog/eventLog.ts";
import { mrConfigPreimage, mrConfigVersion } from "../../protocol/evidence/mrConfigId.ts";
import { encodeDirectProof, type DirectClaim } from "../../protocol/evidence/dcap/onchain/encodeClaim.ts";
import { encodeFirstQuote, encodeKnownQuote } from "../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { factsOf } from "../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote, quoteBytes, type Quote } from "../../protocol/evidence/index.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import type { PlatformRecord } from "../../protocol/state/types.ts";
import { toHex, type Hex } from "../../protocol/words/hex.ts";
import type { EvidenceClaim } from "./judgeEvidence.ts";

/**
 * The proof of this verdict that DcapVerifier takes, or null where the evidence is of another vendor, or does not bind
 * the compose hash to the quote itself (DirectClaim.sol: only MRCONFIGID of versions 1 and 2 does).
 *
 * `records`: of the *final* block. A record in it is never taken back and its facts are matched whole, so the short
 * form that it allows cannot be refused for another record's sake. A platform that two first proofs record at once has two records, both good.
 * @param evidence that `verdict` was reached from, so it is well-formed.
 */
export function directProof(
  claim: EvidenceClaim,
  evidence: EvidenceMessage,
  verdict: VerdictMessage,
  records: Iterable<PlatformRecord>,
): Hex | null {
  if (evidence.kind !== "tdx" && evidence.kind !== "sgx") return null;
  const bytes = quoteBytes(evidence.quote);
  const quote = parseQuote(bytes);
  const instance = claim.purpose === "instance" ? instanceClaim(quote, evidence, verdict) : undefined;
  if (instance === null) return null;
  const { subject, key } = claim;
  const evidenceBlock = BigInt(verdict.evidenceBlock);
  return encodeDirectProof(
    { subject, key, evidenceBlock, ...(instance === undefined ? {} : { instance }) },
    encodeFor(bytes, toHex(factsOf(quote)), records),
  );
}

/** Its length is one byte of the proof. */
const MAX_PREIMAGE = 255;

function encodeFor(quote: Uint8Array, facts: Hex, records: Iterable<PlatformRecord>): Hex {
  for (const record of records) {
    if (record.facts === facts) return encodeKnownQuote(quote, record.number);
  }
  return encodeFirstQuote(quote);
}

/** Null: the quote does not say which compose file it is of. */
function instanceClaim(
  { report }: Quote,
  evidence: EvidenceMessage,
  { osImageHash }: VerdictMessage,
): NonNullable<DirectClaim["instance"]> | null {
  if (report.kind !== "tdx") return null;
  switch (mrConfigVersion(report.mrConfigId)) {
    case 1:
      return { osImageHash };
    case 2: {
      const preimage = mrConfigPreimage(bootFacts(parseEventLog(evidence.eventLog)));
      return preimage.length > MAX_PREIMAGE ? null : { osImageHash, preimage: toHex(preimage) };
    }
    default:
      return null;
  }
}
