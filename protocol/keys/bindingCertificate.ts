import { readOnly, Tag } from "../der/DerReader.ts";
import { parseCertificate } from "../der/certificate.ts";
import { writeDer } from "../der/writeDer.ts";
import { CharterError } from "../errors/CharterError.ts";
import { decodeKeyBindings, encodeKeyBindings, KEY_BINDINGS_OID } from "./bindingExtension.ts";
import type { KeyPurpose, SignedKeyBinding } from "./keyBinding.ts";

/** What a certificate is made of, before it is signed by its own key. */
export interface BindingCertificateRequest {
  /** Common name of issuer and subject: for people, believed by nobody. */
  readonly name: string;
  /** Up to 20 bytes, the first from 1 to 127. */
  readonly serial: Uint8Array;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo in DER, of a P-256 key. */
  readonly publicKey: Uint8Array;
  readonly bindings: readonly SignedKeyBinding[];
}

/** ecdsa-with-SHA256 (RFC 5758 §3.2). */
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const UTF8_STRING = 0x0c;

/**
 * A self-signed X.509 certificate that carries key bindings: what a TLS server shows to whoever knows to read them
 * (DESIGN section 7). A CA's word would add nothing: the instance key speaks for the TLS key.
 * @param sign ECDSA with SHA-256 by the certificate's own key, DER.
 */
export function bindingCertificate(
  request: BindingCertificateRequest,
  sign: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const { name, serial, notBefore, notAfter, publicKey, bindings } = request;
  readOnly(publicKey, Tag.Sequence);
  const algorithm = writeDer(Tag.Sequence, objectId(ECDSA_SHA256));
  const attribute = writeDer(Tag.Sequence, objectId(COMMON_NAME), writeDer(UTF8_STRING, utf8(name)));
  const named = writeDer(Tag.Sequence, writeDer(Tag.Set, attribute));
  const extension = writeDer(
    Tag.Sequence,
    objectId(KEY_BINDINGS_OID),
    writeDer(Tag.OctetString, encodeKeyBindings(bindings)),
  );
  const tbs = writeDer(
    Tag.Sequence,
    writeDer(0xa0, writeDer(Tag.Integer, Uint8Array.of(2))),
    writeDer(Tag.Integer, serial),
    algorithm,
    named,
    writeDer(Tag.Sequence, time(notBefore), time(notAfter)),
    named,
    publicKey,
    writeDer(0xa3, writeDer(Tag.Sequence, extension)),
  );
  return writeDer(Tag.Sequence, tbs, algorithm, writeDer(Tag.BitString, Uint8Array.of(0), sign(tbs)));
}

/**
 * The binding for one purpose that a certificate carries. It is read, not yet verified: `verifyKeyBinding` does that.
 * @throws DerError `der/malformed`; CharterError `keys/binding-missing`.
 */
export function bindingOfCertificate(certificate: Uint8Array, purpose: KeyPurpose): SignedKeyBinding {
  const value = parseCertificate(certificate).extensions.get(KEY_BINDINGS_OID);
  const found =
    value === undefined ? [] : decodeKeyBindings(value).filter((binding) => binding.purpose === purpose);
  if (found.length === 1) return found[0] as SignedKeyBinding;
  throw new CharterError("keys/binding-missing", "the certificate carries no binding for this purpose", {
    extension: KEY_BINDINGS_OID,
    expected: 1,
    actual: found.length,
  });
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The first two arcs share a byte (X.690 §8.19.4); the last may be a UUID. */
function objectId(dotted: string): Uint8Array {
  const [top = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  const bytes = [top * 40n + second, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80);
    return digits;
  });
  return writeDer(Tag.ObjectId, Uint8Array.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). */
function time(seconds: number): Uint8Array {
  const digits = new Date(seconds * 1_000).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "");
  return digits < "2050"
    ? writeDer(Tag.UtcTime, utf8(`${digits.slice(2)}Z`))
    : writeDer(Tag.GeneralizedTime, utf8(`${digits}Z`));
}
