import type { EvidenceFacts } from "../../../protocol/evidence/facts/EvidenceFacts.ts";
import type { Evidence, TrustedRoot } from "../../../protocol/evidence/index.ts";
import type { Check } from "../../../protocol/evidence/index.ts";

/** What a thread is given at once: several pieces of evidence, and each collateral that they need only once. */
export interface Batch {
  readonly roots: readonly TrustedRoot[];
  /** As JSON in memory that all threads share: it goes along with every batch, and a thread reads it once. */
  readonly collaterals: readonly { readonly id: number; readonly text: SharedArrayBuffer }[];
  readonly jobs: readonly {
    readonly evidence: Evidence;
    /** Index into `collaterals`. */
    readonly collateral: number;
    /** Unix seconds. */
    readonly at: number;
  }[];
}

/** What a thread answers: not what only people read, which would cost more to move than to make. */
export type Verified = EvidenceFacts;

/** One job's outcome. An error's class does not survive the way between threads, so it travels as its parts. */
export type Outcome =
  { readonly verified: Verified } | { readonly refused: RefusalParts } | { readonly broken: string };

/** The parts of a CharterError; `checks` where it is an EvidenceError. */
export interface RefusalParts {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly check?: string;
  readonly checks?: readonly Check[];
}
