import type { SignatureScheme } from "../crypto/crypto.ts";
import { toHex } from "../words/hex.ts";
import { readPublicKey, readScheme, readSignatureBits, type KeyType } from "./algorithms.ts";
import { DerError, DerReader, readOnly, Tag } from "./DerReader.ts";
import { readName } from "./name.ts";
import { readObjectId, readSmall, readTime, readUnsigned } from "./values.ts";

/** An X.509 v3 certificate (RFC 5280) with the keys and signatures that makers of TEEs use. */
export interface Certificate {
  readonly raw: Uint8Array;
  /** Exactly the signed bytes. */
  readonly tbs: Uint8Array;
  /** Serial number, lower-case 0x hex without leading zeros bytes. */
  readonly serial: string;
  /** Raw DER names: compared byte for byte. */
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly keyType: KeyType;
  /** x‖y, or SubjectPublicKeyInfo where the key is RSA. */
  readonly publicKey: Uint8Array;
  /** How the issuer signed. */
  readonly scheme: SignatureScheme;
  /** r‖s, or the RSA block. */
  readonly signature: Uint8Array;
  readonly isCa: boolean;
  /** How many CAs may follow below this one; null where nothing limits them. */
  readonly pathLength: number | null;
  /** keyUsage allows signing certificates (bit 5), signing CRLs (bit 6). */
  readonly maySignCertificates: boolean;
  readonly maySignCrls: boolean;
  /** Extension values (content of the OCTET STRING) by object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
/** Critical extensions that this reader understands; any other critical one is an error (RFC 5280 §4.2). */
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS]);
const MAX_CERTIFICATE_BYTES = 16_384;
const MAX_EXTENSIONS = 32;

/** Parses one DER certificate. @throws DerError. */
export const parseCertificate = (raw: Uint8Array): Certificate => parseCertificateOf(raw, UNDERSTOOD);

/** The same where these extensions, and no others, may be critical: the caller reads those that this reader does not. */
export function parseCertificateOf(raw: Uint8Array, understood: ReadonlySet<string>): Certificate {
  if (raw.length > MAX_CERTIFICATE_BYTES) throw new DerError(`at most ${MAX_CERTIFICATE_BYTES} bytes`, 0);
  const outer = readOnly(raw, Tag.Sequence);
  const tbsElement = outer.read(Tag.Sequence);
  const { scheme, id } = readScheme(outer);
  const signature = readSignatureBits(outer, scheme);
  outer.end();

  const tbs = new DerReader(tbsElement.content);
  const version = tbs.enter(0xa0);
  if (readSmall(version) !== 2) throw new DerError("version 3", 0);
  version.end();
  const serial = toHex(readUnsigned(tbs, 20));
  if (readScheme(tbs).id !== id) throw new DerError("one signature algorithm, inside and outside", 0);
  const issuer = readName(tbs);
  const validity = tbs.enter(Tag.Sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.end();
  const subject = readName(tbs);
  const key = readPublicKey(tbs);
  const extensions = readExtensions(tbs, understood);
  tbs.end();

  const usage = keyUsageBits(extensions.get(KEY_USAGE));
  return {
    raw,
    tbs: tbsElement.raw,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    keyType: key.type,
    publicKey: key.bytes,
    scheme,
    signature,
    ...readConstraints(extensions.get(BASIC_CONSTRAINTS)),
    maySignCertificates: (usage & 0x04) !== 0,
    maySignCrls: (usage & 0x02) !== 0,
    extensions,
  };
}

/** [3] EXPLICIT Extensions of a certificate; duplicates and unknown critical ones are errors. */
function readExtensions(tbs: DerReader, understood: ReadonlySet<string>): Map<string, Uint8Array> {
  const wrapper = tbs.enter(0xa3);
  const list = wrapper.enter(Tag.Sequence);
  wrapper.end();
  const extensions = new Map<string, Uint8Array>();
  while (!list.isAtEnd) {
    if (extensions.size >= MAX_EXTENSIONS) throw new DerError(`at most ${MAX_EXTENSIONS} extensions`, 0);
    const [id, value] = readExtension(list, understood);
    if (extensions.has(id)) throw new DerError("each extension once", 0);
    extensions.set(id, value);
  }
  return extensions;
}

/** One Extension: id and the content of its OCTET STRING. */
export function readExtension(
  list: DerReader,
  understood: ReadonlySet<string>,
): [id: string, value: Uint8Array] {
  const extension = list.enter(Tag.Sequence);
  const id = readObjectId(extension);
  const critical = extension.readOptional(Tag.Boolean);
  // DER: the default FALSE is never written, and TRUE is 0xff.
  if (critical && (critical.content.length !== 1 || critical.content[0] !== 0xff))
    throw new DerError("TRUE as 0xff", 0);
  if (critical && !understood.has(id)) throw new DerError(`no unknown critical extension (${id})`, 0);
  const value = extension.read(Tag.OctetString).content;
  extension.end();
  return [id, value];
}

/** BasicConstraints (RFC 5280 §4.2.1.9); absent, it is no CA. */
function readConstraints(value: Uint8Array | undefined): Pick<Certificate, "isCa" | "pathLength"> {
  if (!value) return { isCa: false, pathLength: null };
  const constraints = readOnly(value, Tag.Sequence);
  const ca = constraints.readOptional(Tag.Boolean);
  if (ca && (ca.content.length !== 1 || ca.content[0] !== 0xff)) throw new DerError("TRUE as 0xff", 0);
  const pathLength = constraints.isAtEnd ? null : readSmall(constraints);
  constraints.end();
  if (!ca && pathLength !== null) throw new DerError("a path length only where the certificate is a CA", 0);
  return { isCa: ca !== undefined, pathLength };
}

/**
 * First byte of the keyUsage bits (RFC 5280 §4.2.1.3), 0 when absent: an absent usage allows nothing here. X.690 §11.2.1:
 * unused bits are zero. §11.2.2 would leave zeros at the end out; AMD's ASKs have one, which changes no meaning.
 */
function keyUsageBits(value: Uint8Array | undefined): number {
  if (!value) return 0;
  const reader = new DerReader(value);
  const { content } = reader.read(Tag.BitString);
  reader.end();
  const [unused = 8, first = 0] = content;
  const last = content.at(-1) as number;
  const isWhole = content.length === 2 || content.length === 3;
  if (!isWhole || unused > 7 || last === 0 || (last & (2 ** unused - 1)) !== 0) {
    throw new DerError("the bits of a keyUsage", 0);
  }
  return first;
}
