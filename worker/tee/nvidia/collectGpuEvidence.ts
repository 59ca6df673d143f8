import { execFile } from "node:child_process";
import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  gpuEvidenceDigest,
  parseGpuEvidence,
  type GpuEvidence,
} from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { parseStrictJson } from "../../../protocol/words/strictJson.ts";

/** Evidence of this machine's GPUs. */
export interface CollectedGpus {
  readonly gpus: readonly GpuEvidence[];
  /** NVIDIA's list as a verifier parses it. */
  readonly serialized: string;
  /** What belongs into `reportData[32:64]`: by it the CPU's evidence names these GPUs. */
  readonly digest: Bytes32;
}

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 8 * 1_048_576;

const outputSchema = z.looseObject({
  evidences: z.array(z.unknown()),
  result_code: z.number().int(),
  result_message: z.string().max(256),
});

/**
 * Has NVIDIA's `nvattest collect-evidence` ask every GPU over one nonce (Attestation CLI, command reference). What it says
 * of itself is not judged here, and its verdicts prove nothing: `verifyGpu` judges the signed reports.
 * @throws CharterError `gpu/collector-failed`, `gpu/nonce-mismatch`, `gpu/evidence-malformed`.
 */
export async function collectGpuEvidence(nonce: Bytes32, program = "nvattest"): Promise<CollectedGpus> {
  const text = await run(program, [
    "--format",
    "json",
    "collect-evidence",
    "--device",
    "gpu",
    "--nonce",
    nonce.slice(2),
  ]);
  const parsed = outputSchema.safeParse(parseStrictJson(text, "nvattest output"));
  if (!parsed.success) throw failed({ program, reason: "output of an unknown form" });
  const { evidences, result_code: code, result_message: message } = parsed.data;
  if (code !== 0) throw failed({ program, code, message });
  const serialized = JSON.stringify(evidences);
  const gpus = parseGpuEvidence(serialized);
  for (const [index, { nonce: actual }] of gpus.entries()) {
    if (actual === nonce) continue;
    throw new CharterError("gpu/nonce-mismatch", "a GPU answered another nonce than it was asked", {
      index,
      expected: nonce,
      actual,
    });
  }
  return { gpus, serialized, digest: gpuEvidenceDigest(gpus) };
}

const failed = (details: Record<string, unknown>, cause?: unknown): CharterError =>
  new CharterError("gpu/collector-failed", "NVIDIA's collector gave no evidence", details, { cause });

const run = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((done, fail) => {
    execFile(program, [...args], { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      fail(failed({ program, exit: error.code ?? null, stderr: stderr.slice(-500) }, error));
    });
  });
