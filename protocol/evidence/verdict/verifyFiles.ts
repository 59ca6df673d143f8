import { EvidenceError } from "../EvidenceError.ts";
import type { GpuFiles } from "./gpuCollateral.ts";
import type { GpuClaimOnVerdict } from "./gpuClaimOn.ts";
import type { Verdict, VerifyAnyOptions } from "./Verdict.ts";
import { verify, type AnyEvidence } from "./verify.ts";

/** What a person has: evidence, that of GPUs that it vouches for, and what NVIDIA publishes of those. */
export interface GivenFiles extends GpuFiles {
  readonly evidence: AnyEvidence;
  /** GPU reports, or a token of NVIDIA's service, whose digest the evidence's report data hold. */
  readonly gpu?: AnyEvidence;
}

export interface JudgedFiles {
  readonly verdict: Verdict;
  /** A claim of its own: null where no GPU evidence came along, never implied by the verdict. */
  readonly gpuClaim: GpuClaimOnVerdict | null;
}

/**
 * `verify`, and the claim about GPUs beside it; what the command line and the browser do with files.
 * @throws EvidenceError `evidence/<check>`; `evidence/kind-unsupported` for a file that none of the evidence has a use for.
 */
export async function verifyFiles(files: GivenFiles, options: VerifyAnyOptions): Promise<JudgedFiles> {
  const { evidence, gpu, rims, ocsp } = files;
  if (gpu && gpu.kind !== "gpu" && gpu.kind !== "nras") {
    throw new EvidenceError(
      "kind-unsupported",
      "expected GPU reports, or a token of NVIDIA's service, beside evidence",
      {
        actual: gpu.kind,
      },
    );
  }
  const reports = [evidence, gpu].find((one) => one?.kind === "gpu");
  let judged = options;
  if (rims || ocsp) {
    if (reports?.kind !== "gpu") {
      throw new EvidenceError("kind-unsupported", "expected GPU reports beside manifests or OCSP responses", {
        actual: gpu?.kind ?? evidence.kind,
      });
    }
    const { gpuCollateral } = await import("./gpuCollateral.ts");
    judged = {
      ...options,
      collateral: { ...options.collateral, ...(await gpuCollateral(files, reports, options)) },
    };
  }
  const verdict = await verify(evidence, judged);
  if (!gpu) return { verdict, gpuClaim: null };
  const { gpuClaimOn } = await import("./gpuClaimOn.ts");
  return { verdict, gpuClaim: await gpuClaimOn(verdict, gpu, judged) };
}
