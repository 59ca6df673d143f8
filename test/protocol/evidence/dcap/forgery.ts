import type { KeyObject } from "node:crypto";

import { readOnly, Tag } from "../../../../protocol/der/DerReader.ts";
import { splitPem } from "../../../../protocol/der/pem.ts";
import {
  issueCertificate,
  toPem,
  type CertificateRequest,
  type Issuer,
} from "../../../../worker/tee/simulator/certificate.ts";
import * as der from "../../../../worker/tee/simulator/der.ts";
import { deriveKey, labelled } from "../../../../worker/tee/simulator/keys.ts";
import { SIMULATED_FMSPC } from "../../../../worker/tee/simulator/pki.ts";
import {
  SGX_EXTENSIONS,
  sgxExtensions,
  type PckFacts,
} from "../../../../worker/tee/simulator/sgxExtensions.ts";
import { signatureAlgorithm, signDer } from "../../../../worker/tee/simulator/signing.ts";
import { AT, pki, platform } from "../simulated.ts";

export const YEAR = 365 * 86_400;

/** A key of somebody; its owner may or may not be whom the certificates name. */
export const keyOf = (name: string, curve: "P-256" | "P-384" = "P-256"): KeyObject =>
  deriveKey(pki.secret, name, curve);

/** The DER of the first certificate of a PEM text. */
export const firstOf = (pem: string): Uint8Array => splitPem(pem)[0] as Uint8Array;

/** The PEM blocks of a chain. */
export const blocksOf = (chain: string): string[] => chain.split(/(?<=END CERTIFICATE-----\n)/);

const PLATFORM_FACTS: PckFacts = {
  ppid: platform.ppid,
  cpuSvn: platform.tcb.sgxSvns,
  pceSvn: platform.tcb.pceSvn,
  pceId: Buffer.alloc(2),
  fmspc: Buffer.from(SIMULATED_FMSPC, "hex"),
  platformInstanceId: labelled("instance", 16),
};

/** A certificate in the simulated vendor's shape, whoever signs it. */
export const certificate = (request: Partial<CertificateRequest> & { readonly issuer: Issuer }): Buffer =>
  issueCertificate({
    subject: "Intel SGX PCK Platform CA",
    key: pki.platformCa.key,
    serial: Uint8Array.of(0x41),
    notBefore: AT - 1000,
    notAfter: AT + YEAR,
    ...request,
  });

/** A PCK certificate with the platform's key and facts, where nothing else is asked for. */
export const pckCertificate = (
  request: Partial<CertificateRequest> = {},
  facts: Partial<PckFacts> = {},
): Buffer =>
  certificate({
    issuer: pki.platformCa,
    subject: "Intel SGX PCK Certificate",
    key: platform.pckKey,
    serial: platform.pckSerial,
    extensions: [[SGX_EXTENSIONS, sgxExtensions({ ...PLATFORM_FACTS, ...facts })]],
    ...request,
  });

/** The simulated platform with another chain in its quotes; DER certificates, or PEM text as it is. */
export const chained = (...chain: readonly (Uint8Array | string)[]): typeof platform => ({
  ...platform,
  pckChain: chain.map((each) => (typeof each === "string" ? each : toPem(each))).join(""),
});

/** The raw elements inside a SEQUENCE or a tagged wrapper. */
export function elementsOf(element: Uint8Array, tag: number = Tag.Sequence): Buffer[] {
  const reader = readOnly(element, tag);
  const elements: Buffer[] = [];
  while (!reader.isAtEnd) elements.push(Buffer.from(reader.readAny().raw));
  return elements;
}

/** A certificate or CRL with the fields of its signed part changed, signed anew. */
export function reshaped(
  signed: Uint8Array,
  key: KeyObject,
  change: (fields: Buffer[]) => readonly Uint8Array[],
): Buffer {
  const [tbs] = elementsOf(signed) as [Buffer];
  const changed = der.sequence(...change(elementsOf(tbs)));
  return der.sequence(changed, signatureAlgorithm(key), der.bits(signDer(key, changed)));
}

/** The same with the certificate's list of extensions changed. */
export const withExtensions = (
  signed: Uint8Array,
  key: KeyObject,
  change: (extensions: Buffer[]) => readonly Uint8Array[],
): Buffer =>
  reshaped(signed, key, (fields) => {
    const [list] = elementsOf(fields.at(-1) as Buffer, 0xa3) as [Buffer];
    return [...fields.slice(0, -1), der.tagged(3, der.sequence(...change(elementsOf(list))))];
  });
