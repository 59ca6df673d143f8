import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { testRootFromPem } from "../../../../protocol/evidence/chain/roots.ts";
import type { GpuEvidence } from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import {
  verifyGpu,
  type GpuVerification,
  type VerifyGpuOptions,
} from "../../../../protocol/evidence/gpu/verifyGpu.ts";
import type { TrustedKeySet } from "../../../../protocol/evidence/gpu/verifyNras.ts";
import { verifyRim, type RimVerification } from "../../../../protocol/evidence/gpu/rim/verifyRim.ts";
import { toHex, type Bytes32 } from "../../../../protocol/words/hex.ts";
import { createGpuPki, type GpuPki } from "../../../../worker/tee/simulator/gpu/gpuPki.ts";
import { EAT_ISSUER, eatKeys } from "../../../../worker/tee/simulator/gpu/eat.ts";
import { makeRim, type RimOptions } from "../../../../worker/tee/simulator/gpu/rim.ts";
import { SimulatedGpu } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";

/** When simulated evidence is judged. */
export const AT = 1_800_000_000;
export const NONCE = new Uint8Array(32).fill(0x5a);
export const NONCE_HEX: Bytes32 = toHex(NONCE) as Bytes32;

/** One vendor and one GPU for a whole test file. */
export const pki: GpuPki = createGpuPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(9) });
/** Another vendor, who uses the same names. */
export const otherPki: GpuPki = createGpuPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(8) });
export const gpu = new SimulatedGpu(pki, { name: "one" });
export const root = testRootFromPem(pki.root);
export const rimRoot = testRootFromPem(pki.rimRoot);
export const keys: TrustedKeySet = {
  name: "simulated NRAS",
  issuer: EAT_ISSUER,
  keys: eatKeys(pki),
  simulated: true,
};

export const verify = (
  evidence: GpuEvidence,
  options: Partial<VerifyGpuOptions> = {},
): Promise<GpuVerification> =>
  verifyGpu(evidence, { at: AT, crypto: nodeCrypto, nonce: NONCE_HEX, roots: [root], ...options });

export const rimOf = (options: RimOptions, at = AT): Promise<RimVerification> =>
  verifyRim(makeRim(pki, options), { at, crypto: nodeCrypto, roots: [rimRoot] });

export const goldenRims = async (): Promise<{ driver: RimVerification; vbios: RimVerification }> => ({
  driver: await rimOf({ kind: "driver" }),
  vbios: await rimOf({ kind: "vbios" }),
});
