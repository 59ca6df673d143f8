import { intersect } from "../chain/chain.ts";
import { EvidenceError, type Check } from "../EvidenceError.ts";
import { parseGpuEvidence } from "../gpu/gpuEvidence.ts";
import { verifyGpu, type GpuVerification } from "../gpu/verifyGpu.ts";
import type { Bytes32 } from "../../words/hex.ts";
import { GUEST_ONLY } from "./guestOnly.ts";
import type { Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** NVIDIA's own list of reports (`nvattest collect-evidence`). */
export interface GpuReports {
  readonly kind: "gpu";
  /** The exact text. */
  readonly reports: string;
}

/** Verdict on the reports of one machine's GPUs; all must hold. @throws EvidenceError; CharterError `gpu/evidence-malformed`. */
export async function gpuVerdict({ reports }: GpuReports, options: VerifyAnyOptions): Promise<Verdict> {
  const gpus = parseGpuEvidence(reports);
  const { at, crypto, roots, collateral: { rims, ocsp } = {}, expect } = options;
  const stated = gpus[0]?.nonce;
  if (stated === undefined)
    throw new EvidenceError("gpu-report-format", "expected at least one GPU's report");
  const nonce = (expect?.reportData as Bytes32 | undefined) ?? stated;
  const verified = await Promise.all(
    gpus.map((gpu) =>
      verifyGpu(gpu, {
        at,
        crypto,
        nonce,
        ...(roots ? { roots } : {}),
        ...(rims ? { rims } : {}),
        ...(ocsp ? { ocsp } : {}),
      }),
    ),
  );
  const [first] = verified as [GpuVerification, ...GpuVerification[]];
  const window = intersect(
    verified.map(({ validFrom, validUntil }) => ({ from: validFrom, until: validUntil })),
  );
  const unchecked = [
    GUEST_ONLY,
    ...(expect?.reportData === undefined ? ["when it was asked for: no nonce was expected of it"] : []),
    ...(verified.some(({ measured }) => measured === "unchecked")
      ? ["the firmware's measurements: without NVIDIA's manifests devtools mode looks like production"]
      : []),
    ...(verified.some(({ revocation }) => revocation === "unchecked")
      ? ["whether its certificates were revoked: no OCSP answers were given"]
      : []),
  ];
  return {
    kind: "gpu",
    status: null,
    advisoryIds: [],
    platformId: null,
    facts: {
      gpus: verified.length,
      hwModel: verified.map(({ hwModel }) => hwModel),
      ueid: verified.map(({ ueid }) => ueid),
      deviceId: verified.map(({ deviceId }) => deviceId),
      driverVersion: verified.map(({ facts }) => facts.driverVersion),
      vbiosVersion: verified.map(({ facts }) => facts.vbiosVersion),
      mode: verified.map(({ facts }) => facts.mode),
    },
    reportData: nonce,
    validFrom: window.from,
    validUntil: window.until,
    root: first.root,
    simulated: verified.some(({ simulated }) => simulated),
    unchecked,
    checks: verified.flatMap(({ checks }, i) =>
      checks.map((check): Check => ({ ...check, detail: { gpu: i, ...check.detail } })),
    ),
  };
}
