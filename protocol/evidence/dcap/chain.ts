import type { Crypto } from "../../crypto/crypto.ts";
import type { Certificate } from "../../der/certificate.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { equalBytes } from "./bytes.ts";
import type { TrustedRoot } from "./roots.ts";

/** What a chain has to look like: signer first, root last, every link by name, every issuer a CA. */
export function requireLinked(chain: readonly Certificate[], length: number): void {
  if (chain.length !== length) {
    throw new CharterError("chain/malformed", `expected ${length} certificates, signer first and root last`, {
      expected: length,
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

/** Every signature of the chain, the root's own included: all are checked, whatever the others say. */
export async function allSigned(chain: readonly Certificate[], crypto: Crypto): Promise<boolean> {
  const answers = await Promise.all(
    chain.map((certificate, i) => {
      const issuer = chain[i + 1] ?? certificate;
      return crypto.verifyP256(issuer.publicKey, certificate.tbs, certificate.signature);
    }),
  );
  return answers.length === chain.length && answers.every((answer) => answer);
}

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
