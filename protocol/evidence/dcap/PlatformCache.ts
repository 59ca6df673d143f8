import type { Certificate } from "../../der/certificate.ts";
import type { PckExtensions } from "./pckExtensions.ts";

export type PckChain = readonly [pck: Certificate, ca: Certificate, root: Certificate];

/** What follows from the text of a PCK chain and from nothing else: not from time, roots or collateral. */
export interface KnownPlatform {
  readonly chain: PckChain;
  readonly pck: PckExtensions;
  /** Whether the CA's key signed the PCK certificate. */
  readonly isSigned: boolean;
  /** SHA-256 of the PPID. */
  readonly platform: Uint8Array;
}

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
