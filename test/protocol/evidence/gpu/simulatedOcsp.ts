import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { parseCertificate, type Certificate } from "../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../protocol/der/pem.ts";
import {
  verifyOcsp,
  type OcspVerification,
  type VerifyOcspOptions,
} from "../../../../protocol/evidence/gpu/ocsp/verifyOcsp.ts";
import { fromHex } from "../../../../protocol/words/hex.ts";
import type { Issuer } from "../../../../worker/tee/simulator/certificate.ts";
import {
  makeOcsp,
  ocspResponder,
  type OcspOptions,
  type OcspState,
} from "../../../../worker/tee/simulator/gpu/ocsp.ts";
import { AT, gpu, pki } from "./simulatedGpu.ts";

/** Leaf, device, provisioner, identity, root. */
export const chain: readonly Certificate[] = splitPem(gpu.identity.certificates).map(parseCertificate);

const [root, identity, provisioner] = pki.cas;
/** What simulated responses are about, unless a test says otherwise: the provisioner's certificate, by the identity CA. */
export const issuer = identity;
export const issuerCertificate = chain[3] as Certificate;
export const serial = (chain[2] as Certificate).serial;
export const otherIssuers = { root, provisioner };
export const NONCE = new Uint8Array(32).fill(0x77);

/** A response that is good in every way, or has these defects. */
export const response = (defects: Partial<OcspOptions> = {}): Uint8Array =>
  Uint8Array.from(
    makeOcsp({
      issuer,
      responder: ocspResponder(pki, issuer),
      states: [[fromHex(serial as `0x${string}`), "good"]],
      thisUpdate: AT,
      nextUpdate: AT + 86_400,
      nonce: NONCE,
      ...defects,
    }),
  );

export const judge = (
  bytes: Uint8Array,
  options: Partial<VerifyOcspOptions> = {},
): Promise<OcspVerification> =>
  verifyOcsp(bytes, {
    at: AT,
    crypto: nodeCrypto,
    issuer: issuerCertificate,
    serials: [serial],
    nonce: NONCE,
    ...options,
  });

/** A response of its own for each certificate, signer first, that these issuers made; the first may be in another state. */
const responsesOf = (
  certificates: readonly Certificate[],
  issuers: readonly Issuer[],
  state: OcspState,
): Uint8Array[] =>
  certificates.map((certificate, i) =>
    response({
      issuer: issuers[i] as Issuer,
      responder: ocspResponder(pki, issuers[i] as Issuer),
      states: [[fromHex(certificate.serial as `0x${string}`), i === 0 ? state : "good"]],
    }),
  );

/** What the service says of the simulated GPU's chain: identity, provisioner, CA; the leaf it does not know. */
export const gpuResponses = (state: OcspState = "good"): Uint8Array[] =>
  responsesOf(chain.slice(1, -1), [provisioner, identity, root], state);

/** The same of the manifests' signer and its CA. */
export const rimResponses = (state: OcspState = "good"): Uint8Array[] => {
  const [rimRoot, rimCa] = pki.rimCas;
  return responsesOf(pki.rimChain.slice(0, -1).map(parseCertificate), [rimCa, rimRoot], state);
};
