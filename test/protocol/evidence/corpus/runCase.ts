import type { Crypto } from "../../../../protocol/crypto/crypto.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import {
  readCollateral,
  readEvidence,
  testRootFromPem,
  verify,
} from "../../../../protocol/evidence/browser.ts";
import type { CollateralMessage } from "../../../../protocol/evidence/dcap/collateral.ts";
import type { Verdict } from "../../../../protocol/evidence/verdict/Verdict.ts";
import type { Hex } from "../../../../protocol/words/hex.ts";

/** One piece of evidence with all that it is judged by, in a form that travels to a browser as JSON. */
export interface EvidenceCase {
  readonly name: string;
  /** The file's bytes, base64. */
  readonly file: string;
  readonly collateral?: CollateralMessage;
  /** PEM of test roots; absent: the vendors' own. */
  readonly roots?: readonly string[];
  /** Unix seconds. */
  readonly at: number;
  readonly reportData?: Hex;
  /** Code of the refusal, without `evidence/` where it has that; or "accepted". */
  readonly expected: string;
}

export interface Outcome {
  readonly outcome: string;
  readonly verdict: Verdict | null;
}

/** Runs a case on that machine's cryptography; both machines must come to the same outcome, and the same verdict. */
export async function runCase(one: EvidenceCase, crypto: Crypto): Promise<Outcome> {
  const { file, collateral, roots, at, reportData } = one;
  try {
    const evidence = readEvidence(Uint8Array.from(atob(file), (character) => character.charCodeAt(0)));
    const verdict = await verify(evidence, {
      at,
      crypto,
      ...(roots ? { roots: roots.map(testRootFromPem) } : {}),
      ...(collateral ? { collateral: { intel: await readCollateral(collateral) } } : {}),
      ...(reportData ? { expect: { reportData } } : {}),
    });
    return { outcome: "accepted", verdict };
  } catch (error) {
    if (!(error instanceof CharterError)) throw error;
    return { outcome: error.code.replace(/^evidence\//, ""), verdict: null };
  }
}
