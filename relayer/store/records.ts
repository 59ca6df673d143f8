import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";

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

/** Evidence → the only key, subject and node that it may ever serve. */
export interface EvidenceStore {
  /**
   * Binds evidence. `known` when exactly this binding exists already.
   * @throws CharterError `evidence/replayed` when the digest serves another purpose, subject, key or node.
   */
  accept(evidence: AcceptedEvidence): Promise<"new" | "known">;
  byDigest(digest: Bytes32): Promise<AcceptedEvidence | null>;
  /** Newest (by evidence block) of one key, so that a session survives a restart. */
  latest(purpose: AcceptedEvidence["purpose"], subject: Address, key: Address): Promise<AcceptedEvidence | null>;
  /** Newest of every instance key whose verdict is still valid at `now` (unix seconds). */
  instances(now: number): Promise<AcceptedEvidence[]>;
}

/** Manifests and notes by the SHA-256 of their bytes. */
export interface BlobStore {
  /** Stores bytes under their digest; the caller checked that they belong together. Idempotent. */
  put(digest: Bytes32, bytes: Uint8Array): Promise<void>;
  get(digest: Bytes32): Promise<Uint8Array | null>;
  has(digest: Bytes32): Promise<boolean>;
}

/** What a committee signer has put its name to: at most one verdict per evidence. */
export interface SignedVerdictStore {
  /**
   * Claims the right to sign `verdictDigest` (EIP-712) for `evidenceDigest`: call it before signing.
   * @throws CharterError `committee/conflicting-verdict` when another verdict was claimed for this evidence.
   */
  claim(evidenceDigest: Bytes32, verdictDigest: Bytes32): Promise<void>;
  /** Keeps the signature beside the claim. */
  record(evidenceDigest: Bytes32, signature: Hex): Promise<void>;
}
