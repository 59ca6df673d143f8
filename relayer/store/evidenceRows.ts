import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import { hexBytes, toHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";

/** Evidence that this relayer verified, and the one use that it is bound to. */
export interface AcceptedEvidence {
  /** keccak256 of the quote's bytes, as the verdict carries it. */
  readonly digest: Bytes32;
  readonly purpose: "instance" | "node";
  /** The app (instances) or the operator (nodes). */
  readonly subject: Address;
  readonly key: Address;
  /** Number of the node that the instance runs on; null for a node's own evidence. */
  readonly node: number | null;
  readonly verdict: VerdictMessage;
  readonly evidence: EvidenceMessage;
  /** Unix seconds. */
  readonly acceptedAt: number;
}

/** A row of `evidence`. */
export interface EvidenceRow {
  digest: Bytes32;
  purpose: AcceptedEvidence["purpose"];
  subject: Address;
  key: Address;
  node: string | null;
  verdict: VerdictMessage;
  /** Without its quote where that stands beside it. */
  evidence: Omit<EvidenceMessage, "quote"> & { quote?: string };
  quote: Buffer | null;
  accepted_at: string;
}

export const EVIDENCE_COLUMNS = "digest, purpose, subject, key, node, verdict, evidence, quote, accepted_at";

/** Evidence as two columns: JSON, and the bytes of its quote. What is no hex stays in the JSON. */
export function evidenceColumns(evidence: EvidenceMessage): readonly [json: string, quote: Buffer | null] {
  const { quote, ...rest } = evidence;
  const bytes = hexBytes(quote, quote.startsWith("0x") ? 2 : 0);
  if (bytes === null) return [JSON.stringify(evidence), null];
  return [JSON.stringify(rest), Buffer.from(bytes.buffer)];
}

export const evidenceFromRow = (row: EvidenceRow): AcceptedEvidence => ({
  digest: row.digest,
  purpose: row.purpose,
  subject: row.subject,
  key: row.key,
  node: row.node === null ? null : Number(row.node),
  verdict: row.verdict,
  evidence: { ...row.evidence, quote: row.quote === null ? (row.evidence.quote ?? "") : toHex(row.quote) },
  acceptedAt: Number(row.accepted_at),
});
