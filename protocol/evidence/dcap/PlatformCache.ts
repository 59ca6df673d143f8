import type { Certificate } from "../../der/certificate.ts";
import { equalBytes } from "../../words/bytes.ts";
import type { PckExtensions } from "./pckExtensions.ts";

export type PckChain = readonly [pck: Certificate, ca: Certificate, root: Certificate];

/** A QE report and its signature, byte for byte as the platform's PCK key signed it. */
export interface SignedQeReport {
  readonly report: Uint8Array;
  readonly signature: Uint8Array;
}

/** What follows from the text of a PCK chain and from nothing else: not from time, roots or collateral. */
export interface KnownPlatform {
  readonly chain: PckChain;
  readonly pck: PckExtensions;
  /** Whether the CA's key signed the PCK certificate. */
  readonly isSigned: boolean;
  /** SHA-256 of the PPID. */
  readonly platform: Uint8Array;
  /**
   * QE reports under which a quote passed, the newest first. A quoting enclave has its attestation key certified once and
   * says so in every quote: a signature over the same bytes by the same key is the same answer.
   */
  readonly qeReports: readonly SignedQeReport[];
}

/** A platform has one quoting enclave for each kind of TEE, and another after an update. */
const MAX_QE_REPORTS = 4;

/**
 * Platforms whose quotes were verified before, for those who see the same machines again and again. Only what is a
 * function of the chain's own bytes is kept; roots, revocation, dates and TCB are judged anew every time. A chain gets
 * in by a quote that passed every check, so nobody can push others out with chains of their own making.
 */
export class PlatformCache {
  readonly #known = new Map<string, KnownPlatform>();
  readonly #most: number;

  /** @param most platforms kept; the one that was not seen for the longest time goes first. */
  constructor(most = 1024) {
    this.#most = most;
  }

  find(pckChain: string): KnownPlatform | undefined {
    const known = this.#known.get(pckChain);
    if (!known) return undefined;
    this.#known.delete(pckChain);
    this.#known.set(pckChain, known);
    return known;
  }

  keep(pckChain: string, platform: KnownPlatform): void {
    this.#known.delete(pckChain);
    this.#known.set(pckChain, platform);
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#most && oldest.done !== true) this.#known.delete(oldest.value);
  }
}

/** Whether exactly this report with exactly this signature passed before under the platform's PCK key. */
export const isKnownQe = (known: KnownPlatform, { report, signature }: SignedQeReport): boolean =>
  known.qeReports.some((each) => equalBytes(each.report, report) && equalBytes(each.signature, signature));

/** The reports that are known once this one has passed too. */
export function withQe(known: KnownPlatform | undefined, passed: SignedQeReport): readonly SignedQeReport[] {
  const before = known?.qeReports ?? [];
  if (known !== undefined && isKnownQe(known, passed)) return before;
  // Copied: what is kept must not hold a whole quote in memory.
  const copy = { report: passed.report.slice(), signature: passed.signature.slice() };
  return [copy, ...before].slice(0, MAX_QE_REPORTS);
}
