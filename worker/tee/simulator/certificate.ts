import { createHash, createPublicKey, type KeyObject } from "node:crypto";

import * as der from "./der.ts";
import { signatureAlgorithm, signDer } from "./signing.ts";

/** A CA of the simulated vendor, or whoever signs in its name. */
export interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

export interface CertificateRequest {
  readonly issuer: Issuer;
  readonly subject: string;
  /** Key of the subject; only its public half goes into the certificate. */
  readonly key: KeyObject;
  /** Up to 20 bytes. */
  readonly serial: Uint8Array;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Path length of a CA; absent for a leaf. */
  readonly ca?: number;
  /** Further extensions: object identifier, DER value, and whether it is critical. */
  readonly extensions?: readonly (readonly [id: string, value: Uint8Array, critical?: boolean])[];
  /** AMD's leaves say nothing of their use: key ids, keyUsage and basicConstraints are left out. */
  readonly isBare?: boolean;
}

/** CRL entries carry a reason (RFC 5280 §5.3.1); Intel revokes with keyCompromise. */
const KEY_COMPROMISE = 1;

/**
 * Names have the common names that the vendors' certificates have, and an organization that says what they are: nobody who
 * reads one takes it for theirs.
 */
export function distinguishedName(commonName: string): der.Der {
  const attribute = (id: string, value: der.Der): der.Der => der.set(der.sequence(der.objectId(id), value));
  return der.sequence(
    attribute("2.5.4.3", der.utf8(commonName)),
    attribute("2.5.4.10", der.utf8("Charter simulated TEE, no vendor")),
    attribute("2.5.4.6", der.printable("US")),
  );
}

/** SubjectPublicKeyInfo of a private or public key. */
const publicInfo = (key: KeyObject): Buffer =>
  (key.type === "public" ? key : createPublicKey(key)).export({ type: "spki", format: "der" });

/** SHA-1 of the key (RFC 5280 §4.2.1.2 lets it be anything that follows from the key). */
const keyId = (key: KeyObject): Buffer => createHash("sha1").update(publicInfo(key)).digest();

const authorityKeyId = (key: KeyObject): Buffer => der.sequence(der.primitive(0, keyId(key)));

/** Issues an X.509 v3 certificate (RFC 5280 §4.1), DER. */
export function issueCertificate(request: CertificateRequest): Buffer {
  const { issuer, subject, key, serial, notBefore, notAfter, ca, extensions = [], isBare = false } = request;
  // keyUsage: keyCertSign and cRLSign for a CA, digitalSignature and nonRepudiation for a leaf.
  const usage = ca === undefined ? der.bits(Buffer.from([0xc0]), 6) : der.bits(Buffer.from([0x06]), 1);
  const constraints = ca === undefined ? der.sequence() : der.sequence(der.yes(), der.integer(ca));
  const standard = [
    extension("2.5.29.35", authorityKeyId(issuer.key)),
    extension("2.5.29.14", der.octets(keyId(key))),
    extension("2.5.29.15", usage, true),
    extension("2.5.29.19", constraints, true),
  ];
  const list = [...(isBare ? [] : standard), ...extensions.map((one) => extension(...one))];
  const tbs = der.sequence(
    der.tagged(0, der.integer(2)),
    der.unsigned(serial),
    signatureAlgorithm(issuer.key),
    distinguishedName(issuer.name),
    der.sequence(der.time(notBefore), der.time(notAfter)),
    distinguishedName(subject),
    publicInfo(key),
    der.tagged(3, der.sequence(...list)),
  );
  return signed(tbs, issuer.key);
}

/** Issues a v2 CRL (RFC 5280 §5.1), DER. Times in unix seconds. */
export function issueCrl(request: {
  readonly issuer: Issuer;
  readonly number: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revokedSerials: readonly Uint8Array[];
}): Buffer {
  const { issuer, number, thisUpdate, nextUpdate, revokedSerials } = request;
  const reason = der.sequence(extension("2.5.29.21", der.enumerated(KEY_COMPROMISE)));
  const entries = revokedSerials.map((serial) =>
    der.sequence(der.unsigned(serial), der.time(thisUpdate), reason),
  );
  const tbs = der.sequence(
    der.integer(1),
    signatureAlgorithm(issuer.key),
    distinguishedName(issuer.name),
    der.time(thisUpdate),
    der.time(nextUpdate),
    // An empty list of revoked certificates is left out (RFC 5280 §5.1.2.6).
    ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
    der.tagged(
      0,
      der.sequence(
        extension("2.5.29.20", der.integer(number)),
        extension("2.5.29.35", authorityKeyId(issuer.key)),
      ),
    ),
  );
  return signed(tbs, issuer.key);
}

/** PEM as Intel serves it: 64 columns and a newline at the end. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const extension = (id: string, value: Uint8Array, critical = false): der.Der =>
  der.sequence(der.objectId(id), ...(critical ? [der.yes()] : []), der.octets(value));

const signed = (tbs: Buffer, key: KeyObject): Buffer =>
  der.sequence(tbs, signatureAlgorithm(key), der.bits(signDer(key, tbs)));
