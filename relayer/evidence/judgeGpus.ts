import { EvidenceError } from "../../protocol/evidence/EvidenceError.ts";
import { verifyGpuBinding, type GpuClaim } from "../../protocol/evidence/gpu/gpuClaim.ts";
import {
  gpuEvidenceDigest,
  parseGpuEvidence,
  type GpuEvidence,
} from "../../protocol/evidence/gpu/gpuEvidence.ts";
import type { GpuVerification } from "../../protocol/evidence/gpu/verifyGpu.ts";
import type { Bytes32, Hex } from "../../protocol/words/hex.ts";

/** Verifies one GPU's report over this nonce, measurements and revocation with it. */
export type GpuJudge = (evidence: GpuEvidence, nonce: Bytes32) => Promise<GpuVerification>;

/**
 * Judges the GPU evidence that came with a CPU's: its digest is the second half of the CPU's (verified) report data, and
 * every GPU answered the first half (DESIGN section 5). The digest is compared first, so that nothing is asked of NVIDIA
 * for evidence that no CPU vouches for.
 * @throws EvidenceError `evidence/gpu-…`; CharterError `gpu/evidence-malformed`, `collateral/…`.
 */
export async function judgeGpus(text: string, reportData: Hex, verify: GpuJudge): Promise<GpuClaim> {
  const gpus = parseGpuEvidence(text);
  const nonce = reportData.slice(0, 66) as Bytes32;
  const [expected, actual] = [gpuEvidenceDigest(gpus), `0x${reportData.slice(66)}`];
  if (expected !== actual) {
    throw new EvidenceError("gpu-binding-digest", "expected this evidence's digest in the report data", {
      expected,
      actual,
    });
  }
  // All of them, also where one fails: no fetch outlives the judgement that it is for.
  const outcomes = await Promise.allSettled(gpus.map((gpu) => verify(gpu, nonce)));
  const verified = outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  const claim = verifyGpuBinding(reportData, verified);
  if (claim.complete) return claim;
  throw new EvidenceError(
    "gpu-incomplete",
    "expected measurements and revocation of every GPU to be judged",
    {},
    claim.checks,
  );
}
