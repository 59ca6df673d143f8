import { parseHex, type Bytes32, type Hex } from "../../words/hex.ts";
import { intersect } from "../chain/chain.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import type { GpuClaimFacts } from "./gpuClaims.ts";
import { gpuEvidenceDigest, nrasTokenDigest } from "./gpuEvidence.ts";
import type { GpuVerification } from "./verifyGpu.ts";
import type { NrasVerification } from "./verifyNras.ts";

/**
 * What a verified quote says of GPUs, beside what it says of itself.
 *
 * This is weaker than a claim about the CPU. The quote proves that *the measured guest* put this GPU evidence's digest
 * into its report data; the GPU proves that somebody asked it with that nonce. That the GPU is on this machine's bus,
 * and that the guest talks to it over the session it attested, only the guest's own code can see: whoever trusts the
 * app's compose hash trusts it in this too. A guest that lies, or relays to a GPU elsewhere, is not found out here.
 * So it is a claim of its own, and never follows from a verdict.
 */
export interface GpuClaim {
  readonly claim: "gpu";
  /** The guest vouches: no hardware binds CPU and GPU. */
  readonly boundBy: "guest";
  /** Who looked at the GPU's report: this verifier, or NVIDIA's service. */
  readonly judgedBy: "charter" | "nras";
  /** `reportData[32:64]`. */
  readonly digest: Bytes32;
  readonly gpus: readonly Omit<GpuClaimFacts, "claimsVersion">[];
  /** False where measurements or revocation of a GPU were left unchecked. */
  readonly complete: boolean;
  readonly validFrom: number;
  readonly validUntil: number;
  readonly simulated: boolean;
  readonly checks: readonly Check[];
}

/**
 * Binds GPU reports to a verified quote's 64 bytes of report data: each GPU was asked with `reportData[0:32]`, and
 * `reportData[32:64]` is the digest of exactly this evidence, in this order.
 * @throws EvidenceError `evidence/gpu-binding-nonce`, `evidence/gpu-binding-digest`, `evidence/gpu-distinct`.
 */
export function verifyGpuBinding(reportData: Hex, gpus: readonly GpuVerification[]): GpuClaim {
  const list = new Checklist();
  const digest = gpuEvidenceDigest(gpus.map(({ evidence }) => evidence));
  requireBinding(
    list,
    reportData,
    gpus.map(({ nonce }) => nonce),
    digest,
  );
  // One GPU that answers twice is not two GPUs.
  const devices = gpus.map(({ deviceId }) => deviceId);
  list.require(new Set(devices).size === devices.length, "gpu-distinct", "each GPU once", { devices });
  const window = intersect(gpus.map(({ validFrom, validUntil }) => ({ from: validFrom, until: validUntil })));
  return {
    claim: "gpu",
    boundBy: "guest",
    judgedBy: "charter",
    digest,
    gpus: gpus.map(({ hwModel, ueid, facts: { driverVersion, vbiosVersion } }) => ({
      hwModel,
      ueid,
      driverVersion,
      vbiosVersion,
    })),
    complete: gpus.every(({ measured, revocation }) => measured === "golden" && revocation === "good"),
    validFrom: window.from,
    validUntil: window.until,
    simulated: gpus.some(({ simulated }) => simulated),
    checks: list.checks,
  };
}

/** The same for a token of NVIDIA's service, whose digest the guest put there. @throws EvidenceError as above. */
export function verifyNrasBinding(reportData: Hex, nras: NrasVerification): GpuClaim {
  const list = new Checklist();
  const digest = nrasTokenDigest(nras.token);
  requireBinding(list, reportData, [nras.nonce], digest);
  const devices = nras.gpus.map(({ ueid }) => ueid);
  list.require(new Set(devices).size === devices.length, "gpu-distinct", "each GPU once", { devices });
  return {
    claim: "gpu",
    boundBy: "guest",
    judgedBy: "nras",
    digest,
    gpus: nras.gpus,
    complete: true,
    validFrom: nras.validFrom,
    validUntil: nras.validUntil,
    simulated: nras.simulated,
    checks: list.checks,
  };
}

function requireBinding(list: Checklist, reportData: Hex, nonces: readonly Bytes32[], digest: Bytes32): void {
  const data = parseHex(reportData, 64, "reportData");
  const nonce = data.slice(0, 66);
  list.require(
    nonces.length > 0 && nonces.every((one) => one === nonce),
    "gpu-binding-nonce",
    "GPUs asked with the first half of the report data",
    { expected: nonce, actual: nonces },
  );
  const bound = `0x${data.slice(66)}`;
  list.require(bound === digest, "gpu-binding-digest", "this evidence's digest in the report data", {
    expected: digest,
    actual: bound,
  });
}
