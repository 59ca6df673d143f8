import type { Crypto } from "../crypto/crypto.ts";
import { parseCertificate } from "../der/certificate.ts";
import { splitPem } from "../der/pem.ts";
import type { TrustedRoot } from "./chain/roots.ts";
import { EvidenceError } from "./EvidenceError.ts";
import type { Ending, Forecast, Standing } from "./forecast.ts";
import { parseGpuEvidence } from "./gpu/gpuEvidence.ts";
import { parseOcsp } from "./gpu/ocsp/parseOcsp.ts";
import { gpuCollateral, type GpuFiles } from "./verdict/gpuCollateral.ts";
import { verifyGpus, type GpuReports } from "./verdict/gpuVerdict.ts";

export interface GpuForecastOptions {
  /** Unix seconds. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: NVIDIA's device and RIM roots. */
  readonly roots?: readonly TrustedRoot[];
}

/**
 * Judges the reports of a machine's GPUs today, by the manifests and OCSP answers that are given, and lists when these and
 * the GPUs' certificates end. NVIDIA answers anew within a day; a manifest is signed anew before its signer's certificate
 * ends. A report does not age: it is judged over the nonce that it states. @throws CharterError of the parsers.
 */
export async function forecastGpu(
  reports: GpuReports,
  files: GpuFiles,
  options: GpuForecastOptions,
): Promise<Forecast> {
  const endings: Ending[] = [
    ...parseGpuEvidence(reports.reports).flatMap(({ certificates }) =>
      splitPem(certificates).map((der, i, { length }) => ({
        what: i === length - 1 ? "NVIDIA's root certificate" : "GPU certificate",
        at: parseCertificate(der).notAfter,
      })),
    ),
    ...(files.ocsp ?? []).flatMap((bytes) =>
      (parseOcsp(bytes).response?.answers ?? []).map(({ nextUpdate }) => ({
        what: "OCSP answer",
        at: nextUpdate,
      })),
    ),
    ...(await rimEndings(reports, files, options)),
  ];
  return {
    kind: "gpu",
    platformId: null,
    now: await standing(reports, files, options),
    next: null,
    endings: endings.sort((a, b) => a.at - b.at),
  };
}

async function standing(
  reports: GpuReports,
  files: GpuFiles,
  options: GpuForecastOptions,
): Promise<Standing> {
  try {
    await verifyGpus(reports, { ...options, collateral: await gpuCollateral(files, reports, options) });
    return { status: null, refusedBy: null };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { status: null, refusedBy: error.check };
  }
}

/** Of manifests that hold today; one that does not is what `standing` names. */
async function rimEndings(
  reports: GpuReports,
  { rims }: GpuFiles,
  options: GpuForecastOptions,
): Promise<Ending[]> {
  if (!rims) return [];
  try {
    const { rims: held } = await gpuCollateral({ rims }, reports, options);
    if (!held) return [];
    return [
      { what: "GPU driver manifest", at: held.driver.validUntil },
      { what: "GPU VBIOS manifest", at: held.vbios.validUntil },
    ];
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return [];
  }
}
