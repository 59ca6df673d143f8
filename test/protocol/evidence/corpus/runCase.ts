import type { Crypto } from "../../../../protocol/crypto/crypto.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import {
  readCollateral,
  readEvidence,
  readKeySet,
  readTcbFloors,
  testRootFromPem,
  verifyFiles,
} from "../../../../protocol/evidence/browser.ts";
import type { CollateralMessage } from "../../../../protocol/evidence/dcap/collateral.ts";
import type { GpuClaimOnVerdict } from "../../../../protocol/evidence/verdict/gpuClaimOn.ts";
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
  /** GPU evidence that the first vouches for, base64. */
  readonly gpu?: string;
  /** XML. */
  readonly rims?: { readonly driver: string; readonly vbios: string };
  /** OCSP responses, base64. */
  readonly ocsp?: readonly string[];
  /** Keys of the attestation service, and who issues by them. */
  readonly nras?: { readonly keys: unknown; readonly issuer: string };
  /** AMD's lists, base64, and the lowest versions. */
  readonly amd?: { readonly crls?: readonly string[]; readonly minimumTcb?: unknown };
  /** Code of the refusal, without `evidence/` where it has that; or "accepted". */
  readonly expected: string;
}

export interface Outcome {
  readonly outcome: string;
  readonly verdict: Verdict | null;
  readonly gpuClaim: GpuClaimOnVerdict | null;
}

/** Runs a case on that machine's cryptography; both machines must come to the same outcome, and the same verdict. */
export async function runCase(one: EvidenceCase, crypto: Crypto): Promise<Outcome> {
  const { file, gpu, collateral, roots, at, reportData, rims, ocsp, nras, amd } = one;
  try {
    const files = {
      evidence: readEvidence(bytesOf(file)),
      ...(gpu === undefined ? {} : { gpu: readEvidence(bytesOf(gpu)) }),
      ...(rims ? { rims } : {}),
      ...(ocsp ? { ocsp: ocsp.map(bytesOf) } : {}),
    };
    const judged = await verifyFiles(files, {
      at,
      crypto,
      ...(roots ? { roots: roots.map(testRootFromPem) } : {}),
      collateral: {
        ...(collateral ? { intel: await readCollateral(collateral) } : {}),
        ...(nras ? { nrasKeys: await readKeySet(nras.keys, nras.issuer) } : {}),
        amd: {
          ...(amd?.crls ? { crls: amd.crls.map(bytesOf) } : {}),
          ...(amd?.minimumTcb ? { minimumTcb: await readTcbFloors(amd.minimumTcb) } : {}),
        },
      },
      ...(reportData ? { expect: { reportData } } : {}),
    });
    return { outcome: "accepted", ...judged };
  } catch (error) {
    if (!(error instanceof CharterError)) throw error;
    return { outcome: error.code.replace(/^evidence\//, ""), verdict: null, gpuClaim: null };
  }
}

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
