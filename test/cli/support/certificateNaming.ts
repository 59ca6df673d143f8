import "reflect-metadata";

import { Extension, X509CertificateGenerator } from "@peculiar/x509";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const SUBJECT_ALT_NAME = "2.5.29.17";
const ISSUER = "1.3.6.1.4.1.57264.1.8";

/** A certificate (DER in base64) that nobody trusts, with these raw bytes as the URIs of its subject. */
export async function certificateNaming(issuer: string, uris: readonly Uint8Array[]): Promise<string> {
  const keys = await crypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const names = Buffer.concat(uris.map((uri) => element(0x86, uri)));
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=test",
    keys,
    signingAlgorithm: EC,
    extensions: [
      new Extension(SUBJECT_ALT_NAME, true, element(0x30, names)),
      new Extension(ISSUER, false, element(0x0c, Buffer.from(issuer))),
    ],
  });
  return Buffer.from(certificate.rawData).toString("base64");
}

/** DER of less than 256 bytes. */
const element = (tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array([tag, ...(content.length < 0x80 ? [] : [0x81]), content.length, ...content]);
