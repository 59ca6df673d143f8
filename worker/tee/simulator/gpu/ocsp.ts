import { createHash, type KeyObject } from "node:crypto";

import { distinguishedName, issueCertificate, type Issuer } from "../certificate.ts";
import * as der from "../der.ts";
import { deriveKey, publicPoint } from "../keys.ts";
import { serialOf } from "../pki.ts";
import { signatureAlgorithm, signDer } from "../signing.ts";
import type { GpuPki } from "./gpuPki.ts";

export type OcspState = "good" | "revoked" | "hold" | "unknown";

export interface OcspResponder {
  readonly name: string;
  readonly key: KeyObject;
  /** DER; absent where the issuer answers itself. */
  readonly certificate?: Uint8Array;
}

export interface ResponderOptions {
  /** Purposes of its key; default id-kp-OCSPSigning. */
  readonly purposes?: readonly string[];
  /** Unix seconds; default as the PKI's. */
  readonly notAfter?: number;
  readonly key?: KeyObject;
}

export interface OcspOptions {
  /** Whose certificates are asked for. */
  readonly issuer: Issuer;
  readonly responder: OcspResponder;
  readonly states: readonly (readonly [serial: Uint8Array, state: OcspState])[];
  /** Unix seconds. */
  readonly thisUpdate: number;
  /** Null leaves it out. */
  readonly nextUpdate: number | null;
  readonly nonce?: Uint8Array;
  /** How the responder is named; default by its key. */
  readonly by?: "key" | "name";
  /** Signs in the responder's place. */
  readonly key?: KeyObject;
  /** Further certificates. */
  readonly certificates?: readonly Uint8Array[];
}

const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const NONCE = "1.3.6.1.5.5.7.48.1.2";
const NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
const SHA384 = "2.16.840.1.101.3.4.2.2";
const CESSATION = 5;
const CERTIFICATE_HOLD = 6;

/** The responder of one issuer, as NVIDIA has one beside each of its CAs. */
export function ocspResponder(pki: GpuPki, issuer: Issuer, options: ResponderOptions = {}): OcspResponder {
  const { purposes = [OCSP_SIGNING], notAfter = pki.notAfter } = options;
  const name = `NVIDIA OCSP Responder ${issuer.name}`;
  const key = options.key ?? deriveKey(pki.secret, name, "P-384");
  const certificate = issueCertificate({
    issuer,
    subject: name,
    key,
    serial: serialOf(pki.secret, name),
    notBefore: pki.notBefore,
    notAfter,
    extensions: [
      ["2.5.29.37", der.sequence(...purposes.map(der.objectId)), true],
      [NO_CHECK, der.nothing()],
    ],
  });
  return { name, key, certificate };
}

/** What follows the tag of a key in SubjectPublicKeyInfo: an uncompressed point. */
const keyBits = (key: KeyObject): Buffer => Buffer.concat([Buffer.from([4]), publicPoint(key)]);

const sha = (algorithm: "sha1" | "sha384", bytes: Uint8Array): Buffer =>
  createHash(algorithm).update(bytes).digest();

/** Hashes by which an OCSP request names an issuer. */
export const issuerHashes = ({ name, key }: Issuer): { readonly name: Buffer; readonly key: Buffer } => ({
  name: sha("sha384", distinguishedName(name)),
  key: sha("sha384", keyBits(key)),
});

/** A basic OCSP response (RFC 6960 §4.2.1), DER. */
export function makeOcsp(options: OcspOptions): Buffer {
  const { issuer, responder, states, thisUpdate, nonce, by = "key", key = responder.key } = options;
  const hashes = issuerHashes(issuer);
  const singles = states.map(([serial, state]) =>
    der.sequence(
      der.sequence(
        der.sequence(der.objectId(SHA384), der.nothing()),
        der.octets(hashes.name),
        der.octets(hashes.key),
        der.unsigned(serial),
      ),
      certStatus(state, thisUpdate),
      generalTime(thisUpdate),
      ...(options.nextUpdate === null ? [] : [der.tagged(0, generalTime(options.nextUpdate))]),
    ),
  );
  const extension = (value: Uint8Array): der.Der =>
    der.sequence(der.objectId(NONCE), der.octets(der.octets(value)));
  const tbs = der.sequence(
    by === "key"
      ? der.tagged(2, der.octets(sha("sha1", keyBits(responder.key))))
      : der.tagged(1, distinguishedName(responder.name)),
    generalTime(thisUpdate),
    der.sequence(...singles),
    ...(nonce === undefined ? [] : [der.tagged(1, der.sequence(extension(nonce)))]),
  );
  const certificates = [
    ...(responder.certificate === undefined ? [] : [responder.certificate]),
    ...(options.certificates ?? []),
  ];
  const basic = der.sequence(
    tbs,
    signatureAlgorithm(key),
    der.bits(signDer(key, tbs)),
    ...(certificates.length === 0 ? [] : [der.tagged(0, der.sequence(...certificates))]),
  );
  return der.sequence(der.enumerated(0), der.tagged(0, der.sequence(der.objectId(BASIC), der.octets(basic))));
}

/** A response that answers nothing: 1 malformedRequest, 3 tryLater, 6 unauthorized. */
export const refuseOcsp = (status: 1 | 3 | 6): Buffer => der.sequence(der.enumerated(status));

function certStatus(state: OcspState, at: number): der.Der {
  if (state === "good") return der.primitive(0, Buffer.alloc(0));
  if (state === "unknown") return der.primitive(2, Buffer.alloc(0));
  const reason = state === "hold" ? CERTIFICATE_HOLD : CESSATION;
  return der.tagged(1, generalTime(at), der.tagged(0, der.enumerated(reason)));
}

/** OCSP has GeneralizedTime alone, whatever the year. */
function generalTime(seconds: number): der.Der {
  const digits = new Date(seconds * 1_000).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "");
  const written = der.octets(Buffer.from(`${digits}Z`, "latin1"));
  written[0] = 0x18;
  return written;
}
