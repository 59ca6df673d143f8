import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { testRootFromPem } from "../../../../protocol/evidence/chain/roots.ts";
import {
  verifyNitro,
  type NitroVerification,
  type VerifyNitroOptions,
} from "../../../../protocol/evidence/nitro/verifyNitro.ts";
import { createNitroPki, type NitroPki } from "../../../../worker/tee/simulator/nitro/nitroPki.ts";
import {
  SimulatedNitro,
  type NitroBinding,
  type NitroDefects,
} from "../../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { vector } from "../../../support/vectors.ts";

/** When simulated documents are judged: an hour after they were made. */
export const FROM = 1_800_000_000;
export const AT = FROM + 3_600;

export const pki: NitroPki = createNitroPki({ notBefore: FROM, secret: new Uint8Array(32).fill(11) });
export const otherPki: NitroPki = createNitroPki({ notBefore: FROM, secret: new Uint8Array(32).fill(12) });
export const root = testRootFromPem(pki.root);

export const attest = (defects: NitroDefects = {}, binding: NitroBinding = {}): Uint8Array =>
  new SimulatedNitro(pki).attest(binding, defects);

export const verify = (
  document: Uint8Array,
  options: Partial<VerifyNitroOptions> = {},
): Promise<NitroVerification> =>
  verifyNitro(document, { at: AT, crypto: nodeCrypto, roots: [root], ...options });

/** The document inside dstack's SCALE form: version, variant, compact length of 14 bits, document, then the rest. */
export function nitroVector(name: string): Uint8Array {
  const file = vector(`nitro/${name}.bin`);
  const length = file.readUInt16LE(2) >> 2;
  return Uint8Array.from(file.subarray(4, 4 + length));
}
/** Seconds at which the vector's documents were made. */
export const VECTOR_TIMES = { attestation: 1_766_668_537, "attestation-debug": 1_766_650_846 } as const;
