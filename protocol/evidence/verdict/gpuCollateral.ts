import { parseCertificate, type Certificate } from "../../der/certificate.ts";
import { splitPem } from "../../der/pem.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { EvidenceError, type Check } from "../EvidenceError.ts";
import { parseGpuEvidence } from "../gpu/gpuEvidence.ts";
import { givenOcsp } from "../gpu/ocsp/givenOcsp.ts";
import type { RimVerification } from "../gpu/rim/verifyRim.ts";
import type { GpuReports } from "./gpuVerdict.ts";
import type { AnyCollateral, VerifyAnyOptions } from "./Verdict.ts";

/** What NVIDIA publishes to judge GPU reports by, as files; nothing of it is trusted yet. */
export interface GpuFiles {
  /** Manifests, XML: both or none. */
  readonly rims?: { readonly driver: string; readonly vbios: string };
  /** OCSP responses, DER: then every certificate below the roots must be answered for, the manifests' signers too. */
  readonly ocsp?: readonly Uint8Array[];
}

/**
 * Verifies manifests and OCSP responses, for `verify` of these reports. Answers are taken for chains of the reports and
 * the manifests alone, and `verify` refuses unless those chains end at a trusted root.
 * @throws EvidenceError `evidence/rim-…`, `evidence/ocsp-…`, `evidence/gpu-revoked`.
 */
export async function gpuCollateral(
  { rims, ocsp }: GpuFiles,
  { reports }: GpuReports,
  { at, crypto, roots }: Pick<VerifyAnyOptions, "at" | "crypto" | "roots">,
): Promise<Pick<AnyCollateral, "rims" | "ocsp" | "checks">> {
  const options = { at, crypto, ...(roots ? { roots } : {}) };
  const verifyRim = rims ? (await import("../gpu/rim/verifyRim.ts")).verifyRim : null;
  const texts = rims && verifyRim ? [rims.driver, rims.vbios] : [];
  const judge = async (more: Pick<AnyCollateral, "ocsp">): Promise<RimVerification[]> => {
    const judged: RimVerification[] = [];
    for (const text of texts) if (verifyRim) judged.push(await verifyRim(text, { ...options, ...more }));
    return judged;
  };
  const alone = await judge({});
  const given = ocsp
    ? await givenOcsp(ocsp, [...chainsOf(reports), ...alone.map(({ chain }) => chain)], { at, crypto })
    : null;
  const [driver, vbios] = given ? await judge({ ocsp: given.answers }) : alone;
  const checks: Check[] = [...(given?.checks ?? [])];
  for (const [name, rim] of Object.entries({ driver, vbios })) {
    checks.push(
      ...(rim?.checks ?? []).map((check) => ({ ...check, detail: { rim: name, ...check.detail } })),
    );
  }
  return {
    ...(driver && vbios ? { rims: { driver, vbios } } : {}),
    ...(given ? { ocsp: given.answers } : {}),
    checks,
  };
}

/** @throws EvidenceError `evidence/gpu-chain`, with the parser's own words. */
function chainsOf(reports: string): Certificate[][] {
  return parseGpuEvidence(reports).map(({ certificates }) => {
    try {
      return splitPem(certificates).map(parseCertificate);
    } catch (error) {
      if (!(error instanceof CharterError)) throw error;
      throw new EvidenceError("gpu-chain", "expected the GPU's certificates", { message: error.message });
    }
  });
}
