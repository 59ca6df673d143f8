import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { parseCertificate, type Certificate } from "../../../protocol/der/certificate.ts";
import { splitPem } from "../../../protocol/der/pem.ts";
import { readFirmwareId } from "../../../protocol/evidence/gpu/firmwareId.ts";
import { givenOcsp } from "../../../protocol/evidence/gpu/ocsp/givenOcsp.ts";
import { verifyRim } from "../../../protocol/evidence/gpu/rim/verifyRim.ts";
import { matchesMrConfigId, mrConfigVersion } from "../../../protocol/evidence/mrConfigId.ts";
import { verifyNitro } from "../../../protocol/evidence/nitro/verifyNitro.ts";
import { mrConfigHash } from "../../../protocol/evidence/snp/hostData.ts";
import type { Address, ComposeHash, Hex } from "../../../protocol/words/hex.ts";
import { createNitroPki } from "../../../worker/tee/simulator/nitro/nitroPki.ts";
import { SimulatedNitro } from "../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { makeRim } from "../../../worker/tee/simulator/gpu/rim.ts";
import { mutatedBytes } from "../../support/mutation.ts";
import { testRootFromPem } from "../../../protocol/evidence/chain/roots.ts";
import * as gpu from "../evidence/gpu/simulatedGpu.ts";
import { chain, response } from "../evidence/gpu/simulatedOcsp.ts";
import { AT } from "../evidence/simulated.ts";
import { json, mutatedCose, mutatedDerOrBytes, mutatedXml } from "./mutations.ts";
import { MR_CONFIG } from "./snpTargets.ts";
import { target, type Target } from "./target.ts";

/** Of calls that check signatures. */
const FEWER = 0.25;

/** What the guest of `MR_CONFIG` measured of itself. */
const FACTS = {
  composeHash: `0x${"ab".repeat(32)}` as ComposeHash,
  appId: `0x${"cd".repeat(20)}` as Address,
  instanceId: "0x" as Hex,
  keyProvider: new TextEncoder().encode('{"name":"none","id":""}'),
};

/** Documents that a whole verifier reads, with what stands around the parser. */
export function verifierTargets(): Target[] {
  const at = gpu.AT;
  const [leaf, identity] = splitPem(gpu.gpu.identity.certificates) as [Uint8Array, Uint8Array];
  const issuer = parseCertificate(identity);
  const chains: (readonly Certificate[])[] = [chain];
  const nitro = createNitroPki({ notBefore: AT });
  const document = new SimulatedNitro(nitro).attest({ userData: new Uint8Array(64) });
  const roots = [testRootFromPem(nitro.root)];
  return [
    target("readFirmwareId", [leaf], mutatedDerOrBytes, (input) =>
      readFirmwareId(parseCertificate(input), issuer),
    ),
    target(
      "verifyRim",
      [makeRim(gpu.pki, { kind: "driver" }), makeRim(gpu.pki, { kind: "vbios" })],
      mutatedXml,
      (input) => verifyRim(input, { at, crypto: nodeCrypto, roots: [gpu.rimRoot] }),
      FEWER,
    ),
    target(
      "givenOcsp",
      [response(), response({ by: "name" })],
      mutatedDerOrBytes,
      (input) => givenOcsp([input], chains, { at, crypto: nodeCrypto }),
      FEWER,
    ),
    target(
      "verifyNitro",
      [document],
      mutatedCose,
      (input) => verifyNitro(input, { at: AT + 60, crypto: nodeCrypto, roots }),
      FEWER,
    ),
    target("MRCONFIGID's document", [MR_CONFIG], json, async (input) => {
      const id = Buffer.concat([Buffer.of(3), await mrConfigHash(input, nodeCrypto), Buffer.alloc(15)]);
      return matchesMrConfigId(id, { ...FACTS, document: input }, nodeCrypto);
    }),
    target("mrConfigVersion", [Buffer.alloc(48, 1), Buffer.alloc(48, 3)], mutatedBytes, mrConfigVersion),
  ];
}
