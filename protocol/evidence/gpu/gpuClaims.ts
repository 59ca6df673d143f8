import * as z from "zod/mini";

import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import type { Checklist } from "../EvidenceError.ts";

const text = z.string().check(z.maxLength(256));
const yesNo = z.boolean();

/** What a verifier of NVIDIA's says of one chain of certificates. */
const chainSchema = z.looseObject({
  "x-nvidia-cert-status": text,
  "x-nvidia-cert-ocsp-status": text,
  "x-nvidia-cert-expiration-date": text,
  "x-nvidia-cert-revocation-reason": z.optional(z.nullable(text)),
  "x-nvidia-cert-ocsp-nonce-matches": z.optional(yesNo),
  "x-nvidia-cert-ocsp-response-valid": z.optional(yesNo),
});

/** Claims that must be true for a GPU to be what it says it is, in every version since 3.0. */
const CONDITIONS = [
  "x-nvidia-gpu-arch-check",
  "x-nvidia-gpu-attestation-report-parsed",
  "x-nvidia-gpu-attestation-report-nonce-match",
  "x-nvidia-gpu-attestation-report-signature-verified",
  "x-nvidia-gpu-attestation-report-cert-chain-fwid-match",
  "x-nvidia-gpu-driver-rim-fetched",
  "x-nvidia-gpu-driver-rim-signature-verified",
  "x-nvidia-gpu-driver-rim-version-match",
  "x-nvidia-gpu-driver-rim-measurements-available",
  "x-nvidia-gpu-vbios-rim-fetched",
  "x-nvidia-gpu-vbios-rim-signature-verified",
  "x-nvidia-gpu-vbios-rim-version-match",
  "x-nvidia-gpu-vbios-rim-measurements-available",
  "x-nvidia-gpu-vbios-index-no-conflict",
] as const;

const CHAINS = [
  "x-nvidia-gpu-attestation-report-cert-chain",
  "x-nvidia-gpu-driver-rim-cert-chain",
  "x-nvidia-gpu-vbios-rim-cert-chain",
] as const;

const each = <K extends string, S>(keys: readonly K[], schema: S): Record<K, S> =>
  Object.fromEntries(keys.map((key) => [key, schema])) as Record<K, S>;

/**
 * Claims about one GPU, version 3.0 and 4.0 (NVIDIA attestation, "GPU Claims"). Tokens add registered claims and, over
 * time, others: those are kept but only booleans among them are judged.
 */
export const gpuClaimsSchema = z.looseObject({
  "x-nvidia-gpu-claims-version": z.enum(["3.0", "4.0"]),
  "x-nvidia-device-type": z.literal("gpu"),
  eat_nonce: z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "expected 32 bytes of hex")),
  hwmodel: text,
  ueid: z.string().check(z.regex(/^[0-9]{1,64}$/, "expected a decimal number")),
  oemid: text,
  measres: text,
  secboot: z.nullable(yesNo),
  dbgstat: z.nullable(text),
  "x-nvidia-gpu-driver-version": text,
  "x-nvidia-gpu-vbios-version": text,
  "x-nvidia-mismatch-measurement-records": z.optional(z.nullable(z.array(z.unknown()))),
  "x-nvidia-mismatch-opaque-data-records": z.optional(z.nullable(z.array(z.unknown()))),
  ...each(CONDITIONS, yesNo),
  ...each(CHAINS, chainSchema),
});

/** The facts of one GPU that NVIDIA's verifiers claim. */
export interface GpuClaimFacts {
  readonly hwModel: string;
  readonly ueid: string;
  readonly driverVersion: string;
  readonly vbiosVersion: string;
  readonly claimsVersion: "3.0" | "4.0";
}

export type GpuClaims = z.infer<typeof gpuClaimsSchema>;

/** @throws CharterError `gpu/claims-malformed`. */
export function parseGpuClaims(value: unknown): GpuClaims {
  const parsed = z.safeParse(gpuClaimsSchema, value);
  if (parsed.success) return parsed.data;
  throw new CharterError("gpu/claims-malformed", firstIssue(parsed.error), {});
}

/**
 * One GPU, judged by NVIDIA's verifier to be in confidential mode with secure boot, no debugger and golden
 * measurements. NVIDIA leaves `secboot` and `dbgstat` null where measurements differ, so devtools mode fails here.
 * @throws EvidenceError `evidence/gpu-claims-*`.
 */
export function requireGoodClaims(list: Checklist, name: string, claims: GpuClaims): GpuClaimFacts {
  list.require(claims.measres === "success", "gpu-claims-measurements", "measurements as in the manifests", {
    name,
    actual: claims.measres,
    mismatches: claims["x-nvidia-mismatch-measurement-records"] ?? null,
  });
  list.require(claims.secboot === true, "gpu-claims-secure-boot", "secure boot", {
    name,
    actual: claims.secboot,
  });
  list.require(claims.dbgstat === "disabled", "gpu-claims-debug", "a GPU without debugger or devtools mode", {
    name,
    actual: claims.dbgstat,
  });
  const records = ["x-nvidia-mismatch-measurement-records", "x-nvidia-mismatch-opaque-data-records"] as const;
  const mismatched = records.filter((key) => (claims[key] ?? []).length > 0);
  list.require(mismatched.length === 0, "gpu-claims-mismatch", "no mismatching records", {
    name,
    mismatched,
  });
  // Claims of later versions are conditions too: a new "…-verified: false" must not pass unseen.
  const untrue = Object.entries(claims).filter(
    ([key, value]) => key.startsWith("x-nvidia-") && value === false,
  );
  list.require(untrue.length === 0, "gpu-claims-conditions", "every condition true", {
    name,
    untrue: untrue.map(([key]) => key),
  });
  const bad = CHAINS.filter((key) => {
    const chain = claims[key];
    return (
      chain["x-nvidia-cert-status"] !== "valid" ||
      chain["x-nvidia-cert-ocsp-status"] !== "good" ||
      Object.values(chain).includes(false)
    );
  });
  list.require(bad.length === 0, "gpu-claims-chains", "valid certificates that OCSP calls good", {
    name,
    bad,
  });
  return factsOf(claims);
}

const factsOf = (claims: GpuClaims): GpuClaimFacts => ({
  hwModel: claims.hwmodel,
  ueid: claims.ueid,
  driverVersion: claims["x-nvidia-gpu-driver-version"],
  vbiosVersion: claims["x-nvidia-gpu-vbios-version"],
  claimsVersion: claims["x-nvidia-gpu-claims-version"],
});
