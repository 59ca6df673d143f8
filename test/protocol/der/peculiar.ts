import "reflect-metadata";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509Crl,
} from "@peculiar/x509";

import type { Certificate } from "../../../protocol/der/certificate.ts";
import type { Crl } from "../../../protocol/der/crl.ts";
import { toHex } from "../../../protocol/words/hex.ts";

/** Everything of a certificate that both readers give, as @peculiar/x509 reads it. Throws where it does. */
export function theirCertificate(der: Uint8Array): Record<string, unknown> {
  const theirs = new X509Certificate(Buffer.from(der));
  const constraints = theirs.getExtension(BasicConstraintsExtension);
  const usages = theirs.getExtension(KeyUsagesExtension)?.usages ?? 0;
  return {
    serial: BigInt(`0x${theirs.serialNumber}`),
    issuer: toHex(new Uint8Array(theirs.issuerName.toArrayBuffer())),
    subject: toHex(new Uint8Array(theirs.subjectName.toArrayBuffer())),
    notBefore: theirs.notBefore.getTime() / 1000,
    notAfter: theirs.notAfter.getTime() / 1000,
    publicKey: toHex(new Uint8Array(theirs.publicKey.rawData)),
    isCa: constraints?.ca === true,
    pathLength: constraints?.pathLength ?? null,
    maySignCertificates: (usages & KeyUsageFlags.keyCertSign) !== 0,
    maySignCrls: (usages & KeyUsageFlags.cRLSign) !== 0,
    extensions: theirs.extensions.map(({ type, value }) => `${type} ${toHex(new Uint8Array(value))}`).sort(),
  };
}

/** The same of ours. */
export function ourCertificate(ours: Certificate, theirs: Record<string, unknown>): Record<string, unknown> {
  const { serial, issuer, subject, notBefore, notAfter, isCa, pathLength } = ours;
  const { maySignCertificates, maySignCrls, extensions, publicKey } = ours;
  return {
    serial: BigInt(serial),
    issuer,
    subject,
    notBefore,
    notAfter,
    // Ours is the bare point; theirs, the SubjectPublicKeyInfo that ends in it.
    publicKey: String(theirs["publicKey"]).endsWith(toHex(publicKey).slice(2))
      ? theirs["publicKey"]
      : toHex(publicKey),
    isCa,
    pathLength,
    maySignCertificates,
    maySignCrls,
    extensions: [...extensions].map(([id, value]) => `${id} ${toHex(value)}`).sort(),
  };
}

/** Everything of a CRL that both readers give, as @peculiar/x509 reads it. */
export function theirCrl(der: Uint8Array): Record<string, unknown> {
  const theirs = new X509Crl(Buffer.from(der));
  return {
    issuer: toHex(new Uint8Array(theirs.issuerName.toArrayBuffer())),
    thisUpdate: theirs.thisUpdate.getTime() / 1000,
    nextUpdate: (theirs.nextUpdate as Date).getTime() / 1000,
    revoked: [...new Set(theirs.entries.map(({ serialNumber }) => BigInt(`0x${serialNumber}`)))].sort(),
  };
}

export const ourCrl = ({ issuer, thisUpdate, nextUpdate, revoked }: Crl): Record<string, unknown> => ({
  issuer,
  thisUpdate,
  nextUpdate,
  revoked: [...revoked].map(BigInt).sort(),
});
