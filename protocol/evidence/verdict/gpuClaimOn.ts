import { parseBytes32, type Bytes32, type Hex } from "../../words/hex.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { verifyGpuBinding, verifyNrasBinding, type GpuClaim } from "../gpu/gpuClaim.ts";
import { verifyNras } from "../gpu/verifyNras.ts";
import { checksOfGpus, uncheckedOfGpus, verifyGpus, type GpuReports } from "./gpuVerdict.ts";
import type { NrasToken } from "./nrasVerdict.ts";
import type { Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** A claim about GPUs beside a verdict on the guest that vouches for them. */
export interface GpuClaimOnVerdict extends GpuClaim {
  /** What this claim does not say, in sentences for people. */
  readonly unchecked: readonly string[];
}

/** What binding by a guest leaves open, always. */
export const GUEST_VOUCHES =
  "that the GPU is on this machine's bus: the measured guest vouches for it, and no hardware does";

/**
 * Binds GPU reports, or a token of NVIDIA's service, to what a verified quote says: a claim of its own, weaker than the
 * verdict (`gpu/gpuClaim.ts`). It holds no longer than the verdict, and is simulated where either is. What is expected of
 * the verdict is not asked of the GPU: its nonce is the first half of the report data.
 * @throws EvidenceError of the GPU's checks and of `gpu-binding-…`; `evidence/collateral-missing` for a token without keys.
 */
export async function gpuClaimOn(
  verdict: Verdict,
  evidence: GpuReports | NrasToken,
  options: VerifyAnyOptions,
): Promise<GpuClaimOnVerdict> {
  const { data, nonce } = bindingOf(verdict);
  const { claim, checks, unchecked } =
    evidence.kind === "gpu"
      ? await ofReports(data, nonce, evidence, options)
      : await ofToken(data, nonce, evidence, options);
  return {
    ...claim,
    validFrom: Math.max(claim.validFrom, verdict.validFrom),
    validUntil: Math.min(claim.validUntil, verdict.validUntil),
    simulated: claim.simulated || verdict.simulated,
    unchecked: [GUEST_VOUCHES, ...unchecked],
    checks: [...checks, ...claim.checks],
  };
}

type Bound = Pick<GpuClaimOnVerdict, "unchecked" | "checks"> & { readonly claim: GpuClaim };

async function ofReports(
  data: Hex,
  nonce: Bytes32,
  reports: GpuReports,
  options: VerifyAnyOptions,
): Promise<Bound> {
  const verified = await verifyGpus(reports, options, nonce);
  const claim = verifyGpuBinding(data, verified);
  return { claim, checks: checksOfGpus(verified, options), unchecked: uncheckedOfGpus(verified) };
}

async function ofToken(
  data: Hex,
  nonce: Bytes32,
  { token }: NrasToken,
  { at, crypto, collateral: { nrasKeys } = {} }: VerifyAnyOptions,
): Promise<Bound> {
  if (!nrasKeys) throw new EvidenceError("collateral-missing", "expected the key set of NVIDIA's service");
  const verified = await verifyNras(token, { at, crypto, keys: nrasKeys, nonce });
  const unchecked = ["the report itself: NVIDIA's service looked at it, and we at its signature"];
  return { claim: verifyNrasBinding(data, verified), checks: verified.checks, unchecked };
}

/** Report data of 64 bytes: nonce, then digest. */
function bindingOf({ kind, reportData }: Verdict): { readonly data: Hex; readonly nonce: Bytes32 } {
  if (kind === "gpu" || kind === "nras" || reportData?.length !== 2 + 2 * 64) {
    throw new EvidenceError("gpu-binding-nonce", "expected a guest's evidence with 64 bytes of report data", {
      kind,
      actual: reportData,
    });
  }
  return { data: reportData, nonce: parseBytes32(reportData.slice(0, 66), "nonce") };
}
