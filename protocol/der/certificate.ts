import { toHex } from "../words/hex.ts";
import { DerError, DerReader, readOnly, Tag } from "./DerReader.ts";
import {
  readEcdsaSignature,
  readObjectId,
  readSmall,
  readTime,
  readUnsigned,
  readWholeBits,
} from "./values.ts";

/** An X.509 v3 certificate (RFC 5280) with a P-256 key and an ECDSA-SHA256 signature: all that Intel issues. */
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
  /** x‖y. */
  readonly publicKey: Uint8Array;
  /** r‖s. */
  readonly signature: Uint8Array;
  readonly isCa: boolean;
  /** keyUsage allows signing certificates (bit 5), signing CRLs (bit 6). */
  readonly maySignCertificates: boolean;
  readonly maySignCrls: boolean;
  /** Extension values (content of the OCTET STRING) by object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const P256 = "1.2.840.10045.3.1.7";
const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
/** Critical extensions that this reader understands; any other critical one is an error (RFC 5280 §4.2). */
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS]);
const MAX_CERTIFICATE_BYTES = 16_384;
const MAX_EXTENSIONS = 32;

/** Parses one DER certificate. @throws DerError. */
export function parseCertificate(raw: Uint8Array): Certificate {
  if (raw.length > MAX_CERTIFICATE_BYTES) throw new DerError(`at most ${MAX_CERTIFICATE_BYTES} bytes`, 0);
  const outer = readOnly(raw, Tag.Sequence);
  const tbsElement = outer.read(Tag.Sequence);
  requireEcdsaSha256(outer);
  const signature = readSignatureBits(outer);
  outer.end();

  const tbs = new DerReader(tbsElement.content);
  const version = tbs.enter(0xa0);
  if (readSmall(version) !== 2) throw new DerError("version 3", 0);
  version.end();
  const serial = toHex(readUnsigned(tbs, 20));
  requireEcdsaSha256(tbs);
  const issuer = toHex(tbs.read(Tag.Sequence).raw);
  const validity = tbs.enter(Tag.Sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.end();
  const subject = toHex(tbs.read(Tag.Sequence).raw);
  const publicKey = readP256Key(tbs.enter(Tag.Sequence));
  const extensions = readExtensions(tbs);
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
    publicKey,
    signature,
    isCa: isCertificateAuthority(extensions.get(BASIC_CONSTRAINTS)),
    maySignCertificates: (usage & 0x04) !== 0,
    maySignCrls: (usage & 0x02) !== 0,
    extensions,
  };
}

/** AlgorithmIdentifier ecdsa-with-SHA256 without parameters (RFC 5758 §3.2). */
export function requireEcdsaSha256(reader: DerReader): void {
  const algorithm = reader.enter(Tag.Sequence);
  if (readObjectId(algorithm) !== ECDSA_WITH_SHA256) throw new DerError("ecdsa-with-SHA256", 0);
  algorithm.end();
}

/** BIT STRING that holds an ECDSA-Sig-Value. */
export function readSignatureBits(reader: DerReader): Uint8Array {
  const inside = new DerReader(readWholeBits(reader));
  const signature = readEcdsaSignature(inside);
  inside.end();
  return signature;
}

/** [3] EXPLICIT Extensions of a certificate; duplicates and unknown critical ones are errors. */
function readExtensions(tbs: DerReader): Map<string, Uint8Array> {
  const wrapper = tbs.enter(0xa3);
  const list = wrapper.enter(Tag.Sequence);
  wrapper.end();
  const extensions = new Map<string, Uint8Array>();
  while (!list.isAtEnd) {
    if (extensions.size >= MAX_EXTENSIONS) throw new DerError(`at most ${MAX_EXTENSIONS} extensions`, 0);
    const [id, value] = readExtension(list, UNDERSTOOD);
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

function readP256Key(spki: DerReader): Uint8Array {
  const algorithm = spki.enter(Tag.Sequence);
  if (readObjectId(algorithm) !== EC_PUBLIC_KEY) throw new DerError("an EC key", 0);
  if (readObjectId(algorithm) !== P256) throw new DerError("a P-256 key", 0);
  algorithm.end();
  const point = readWholeBits(spki);
  spki.end();
  if (point.length !== 65 || point[0] !== 4) throw new DerError("an uncompressed point", 0);
  return point.subarray(1);
}

function isCertificateAuthority(value: Uint8Array | undefined): boolean {
  if (!value) return false;
  const constraints = readOnly(value, Tag.Sequence);
  const ca = constraints.readOptional(Tag.Boolean);
  if (constraints.peek() === Tag.Integer) readSmall(constraints);
  constraints.end();
  return ca?.content.length === 1 && ca.content[0] === 0xff;
}

/** First byte of the keyUsage bits, 0 when absent: an absent usage allows nothing here. */
function keyUsageBits(value: Uint8Array | undefined): number {
  if (!value) return 0;
  const reader = new DerReader(value);
  const { content } = reader.read(Tag.BitString);
  reader.end();
  return content[1] ?? 0;
}
