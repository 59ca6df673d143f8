import type { Crypto } from "../../crypto/crypto.ts";
import type { Certificate } from "../../der/certificate.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { equalBytes } from "../../words/bytes.ts";
import type { TrustedRoot } from "./roots.ts";

/** What a chain has to look like: signer first, root last, every link by name, every issuer a CA. */
export function requireLinked(chain: readonly Certificate[], least: number, most = least): void {
  if (chain.length < least || chain.length > most) {
    const count = least === most ? `${least}` : `${least} to ${most}`;
    throw new CharterError("chain/malformed", `expected ${count} certificates, signer first and root last`, {
      expected: [least, most],
      actual: chain.length,
    });
  }
  chain.forEach((certificate, i) => {
    const issuer = chain[i + 1] ?? certificate;
    if (certificate.issuer !== issuer.subject) {
      throw new CharterError(
        "chain/malformed",
        `certificate ${i}: expected the next certificate's name as issuer`,
        { i },
      );
    }
    if (!issuer.isCa || !issuer.maySignCertificates) {
      throw new CharterError(
        "chain/malformed",
        `certificate ${i}: expected an issuer that may sign certificates`,
        { i },
      );
    }
    // RFC 5280 §4.2.1.9 counts the CAs between this issuer and the signer; the root's entry for itself adds none.
    const below = Math.min(i, chain.length - 2);
    if (issuer.pathLength !== null && issuer.pathLength < below) {
      throw new CharterError(
        "chain/malformed",
        `certificate ${i + 1}: expected a path no longer than it allows`,
        {
          i: i + 1,
          expected: issuer.pathLength,
          actual: below,
        },
      );
    }
  });
  if (chain[0]?.isCa !== false)
    throw new CharterError("chain/malformed", "expected a signer that is not a CA");
}

/** The trusted root whose key the last certificate carries, or undefined. */
export function rootOf(
  chain: readonly Certificate[],
  roots: readonly TrustedRoot[],
): TrustedRoot | undefined {
  const last = chain.at(-1);
  return last && roots.find((root) => equalBytes(root.publicKey, last.publicKey));
}

/**
 * Computes certificate signatures, each distinct one once: an answer is a function of the certificate's bytes and the
 * issuer's key alone, and Intel's chains share their upper certificates.
 */
export class ChainSignatures {
  readonly #crypto: Crypto;
  readonly #links: {
    readonly raw: Uint8Array;
    readonly key: Uint8Array;
    readonly answer: Promise<boolean>;
  }[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Every signature of the chain, the root's own included: all are checked, whatever the others say. */
  async hold(chain: readonly Certificate[]): Promise<boolean> {
    const answers = await Promise.all(
      chain.map((certificate, i) => this.#link(certificate, chain[i + 1] ?? certificate)),
    );
    return answers.length > 0 && answers.every((answer) => answer);
  }

  #link(certificate: Certificate, issuer: Certificate): Promise<boolean> {
    const { raw, tbs, signature } = certificate;
    const key = issuer.publicKey;
    const known = this.#links.find((link) => equalBytes(link.raw, raw) && equalBytes(link.key, key));
    if (known) return known.answer;
    const answer = this.#crypto.verify(certificate.scheme, key, tbs, signature);
    this.#links.push({ raw, key, answer });
    return answer;
  }
}

/** Byte for byte the same certificates. */
export const isSameChain = (a: readonly Certificate[], b: readonly Certificate[]): boolean =>
  a.length === b.length && a.every(({ raw }, i) => equalBytes(raw, (b[i] as Certificate).raw));

/** Seconds in which all of them are valid: `from ≤ t < until`. */
export interface Window {
  readonly from: number;
  readonly until: number;
}

export function intersect(windows: readonly Window[]): Window {
  return {
    from: Math.max(...windows.map((window) => window.from)),
    until: Math.min(...windows.map((window) => window.until)),
  };
}

export const windowOf = (chain: readonly Certificate[]): Window =>
  intersect(chain.map(({ notBefore, notAfter }) => ({ from: notBefore, until: notAfter })));

export const isWithin = (window: Window, at: number): boolean => window.from <= at && at < window.until;
