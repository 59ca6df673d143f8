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

/** Every report of the file, over this nonce (default: the one that the reports state). @throws EvidenceError, CharterError `gpu/evidence-malformed`. */
export async function verifyGpus(
  { reports }: GpuReports,
  { at, crypto, roots, collateral: { rims, ocsp } = {} }: VerifyAnyOptions,
  asked?: Bytes32,
): Promise<readonly [GpuVerification, ...GpuVerification[]]> {
  const gpus = parseGpuEvidence(reports);
  const nonce = asked ?? gpus[0]?.nonce;
  if (nonce === undefined) throw new EvidenceError("gpu-report-format", "expected at least one GPU's report");
  const options = { at, crypto, nonce, ...(roots ? { roots } : {}), ...(rims ? { rims } : {}) };
  const verified = await Promise.all(
    gpus.map((gpu) => verifyGpu(gpu, { ...options, ...(ocsp ? { ocsp } : {}) })),
  );
  return verified as [GpuVerification, ...GpuVerification[]];
}

/** What reports leave open where manifests or answers were not given. */
export const uncheckedOfGpus = (verified: readonly GpuVerification[]): string[] => [
  ...(verified.some(({ measured }) => measured === "unchecked")
    ? ["the firmware's measurements: without NVIDIA's manifests devtools mode looks like production"]
    : []),
  ...(verified.some(({ revocation }) => revocation === "unchecked")
    ? ["whether its certificates were revoked: no OCSP answers were given"]
    : []),
];

/** All steps: those of manifests and answers, then each GPU's. */
export const checksOfGpus = (
  verified: readonly GpuVerification[],
  { collateral: { checks = [] } = {} }: VerifyAnyOptions,
): Check[] => [
  ...checks,
  ...verified.flatMap(({ checks: own }, i) =>
    own.map((check): Check => ({ ...check, detail: { gpu: i, ...check.detail } })),
  ),
];

/** Verdict on the reports of one machine's GPUs; all must hold. @throws EvidenceError; CharterError `gpu/evidence-malformed`. */
export async function gpuVerdict(reports: GpuReports, options: VerifyAnyOptions): Promise<Verdict> {
  const asked = options.expect?.reportData as Bytes32 | undefined;
  const verified = await verifyGpus(reports, options, asked);
  const [first] = verified;
  const window = intersect(
    verified.map(({ validFrom, validUntil }) => ({ from: validFrom, until: validUntil })),
  );
  const unchecked = [
    GUEST_ONLY,
    ...(asked === undefined ? ["when it was asked for: no nonce was expected of it"] : []),
    ...uncheckedOfGpus(verified),
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
    reportData: first.nonce,
    validFrom: window.from,
    validUntil: window.until,
    root: first.root,
    simulated: verified.some(({ simulated }) => simulated),
    unchecked,
    checks: checksOfGpus(verified, options),
  };
}
