import type { SignatureScheme } from "../../../crypto/crypto.ts";
import { readScheme, readSignatureBits } from "../../../der/algorithms.ts";
import { readExtension } from "../../../der/certificate.ts";
import { DerError, DerReader, readOnly, Tag } from "../../../der/DerReader.ts";
import { readName } from "../../../der/name.ts";
import { readObjectId, readSmall, readTime } from "../../../der/values.ts";
import { toHex, type Hex } from "../../../words/hex.ts";
import type { CertificateStatus } from "../revocation.ts";
import { readCertId, type CertId } from "./certId.ts";

/** What is said of one certificate (RFC 6960 §4.2.1). Times in unix seconds. */
export interface OcspAnswer extends CertId {
  readonly status: CertificateStatus;
  readonly revokedAt: number | null;
  /** CRLReason (RFC 5280 §5.3.1), where one is given. */
  readonly reason: number | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** Who says that they signed: by the raw DER of their name, or by the SHA-1 of their key. */
export type ResponderId = { readonly name: Hex } | { readonly keyHash: Hex };

/** A BasicOCSPResponse. */
export interface BasicOcspResponse {
  /** Exactly the signed bytes. */
  readonly tbs: Uint8Array;
  readonly responder: ResponderId;
  readonly producedAt: number;
  readonly answers: readonly OcspAnswer[];
  readonly nonce: Hex | null;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
  /** DER, not parsed. */
  readonly certificates: readonly Uint8Array[];
}

/** OCSPResponseStatus; `response` is there with "successful" alone. */
export interface OcspResponse {
  readonly status: string;
  readonly response: BasicOcspResponse | null;
}

const STATUSES: Readonly<Record<number, string>> = {
  0: "successful",
  1: "malformedRequest",
  2: "internalError",
  3: "tryLater",
  5: "sigRequired",
  6: "unauthorized",
};
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const NONCE = "1.3.6.1.5.5.7.48.1.2";
const UNDERSTOOD = new Set([NONCE]);
const NONE: ReadonlySet<string> = new Set();
const CERTIFICATE_HOLD = 6;
const HIGHEST_REASON = 10;
/** RFC 5280 leaves 7 out. */
const UNUSED_REASON = 7;
const MAX_BYTES = 16_384;
const MAX_ANSWERS = 16;
const MAX_CERTIFICATES = 4;
const MAX_EXTENSIONS = 8;
/** RFC 9654 §2.1. */
const MAX_NONCE = 128;

/** Parses one OCSPResponse in strict DER (RFC 6960 §4.2.1). @throws DerError. */
export function parseOcsp(bytes: Uint8Array): OcspResponse {
  if (bytes.length > MAX_BYTES) throw new DerError(`at most ${MAX_BYTES} bytes`, 0);
  const outer = readOnly(bytes, Tag.Sequence);
  const status = STATUSES[readSmall(outer, Tag.Enumerated)];
  if (status === undefined) throw new DerError("a known response status", 0);
  if (status !== "successful") {
    outer.end();
    return { status, response: null };
  }
  const explicit = outer.enter(0xa0);
  outer.end();
  const typed = explicit.enter(Tag.Sequence);
  explicit.end();
  if (readObjectId(typed) !== BASIC) throw new DerError("a basic OCSP response", 0);
  const { content } = typed.read(Tag.OctetString);
  typed.end();
  return { status, response: parseBasic(content) };
}

function parseBasic(bytes: Uint8Array): BasicOcspResponse {
  const basic = readOnly(bytes, Tag.Sequence);
  const tbs = basic.read(Tag.Sequence);
  const { scheme } = readScheme(basic);
  const signature = readSignatureBits(basic, scheme);
  const certificates: Uint8Array[] = [];
  if (!basic.isAtEnd) {
    const explicit = basic.enter(0xa0);
    basic.end();
    const list = explicit.enter(Tag.Sequence);
    explicit.end();
    while (!list.isAtEnd) certificates.push(list.read(Tag.Sequence).raw);
    if (certificates.length > MAX_CERTIFICATES) {
      throw new DerError(`at most ${MAX_CERTIFICATES} certificates`, 0);
    }
  }
  return { tbs: tbs.raw, ...parseData(new DerReader(tbs.content)), scheme, signature, certificates };
}

/** ResponseData. Version 1 is the default, which DER leaves out. */
function parseData(
  data: DerReader,
): Pick<BasicOcspResponse, "responder" | "producedAt" | "answers" | "nonce"> {
  const responder = readResponder(data);
  const producedAt = readGeneralTime(data);
  const list = data.enter(Tag.Sequence);
  const answers: OcspAnswer[] = [];
  while (!list.isAtEnd) answers.push(readAnswer(list.enter(Tag.Sequence)));
  if (answers.length > MAX_ANSWERS) throw new DerError(`at most ${MAX_ANSWERS} answers`, 0);
  const nonce = readExtensions(data, 0xa1, UNDERSTOOD).get(NONCE);
  data.end();
  return { responder, producedAt, answers, nonce: nonce === undefined ? null : readNonce(nonce) };
}

function readResponder(data: DerReader): ResponderId {
  const byName = data.peek() === 0xa1;
  const choice = data.enter(byName ? 0xa1 : 0xa2);
  const responder = byName
    ? { name: readName(choice) as Hex }
    : { keyHash: toHex(choice.read(Tag.OctetString).content) };
  choice.end();
  return responder;
}

/** SingleResponse. RFC 6960 lets nextUpdate be absent; without it we could never fail closed. */
function readAnswer(single: DerReader): OcspAnswer {
  const id = readCertId(single);
  const state = readState(single);
  const thisUpdate = readGeneralTime(single);
  const explicit = single.enter(0xa0);
  const nextUpdate = readGeneralTime(explicit);
  explicit.end();
  readExtensions(single, 0xa1, NONE);
  single.end();
  return { ...id, ...state, thisUpdate, nextUpdate };
}

/** CertStatus: good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL, all implicit. */
function readState(single: DerReader): Pick<OcspAnswer, "status" | "revokedAt" | "reason"> {
  const { tag, content } = single.readAny();
  if (tag === 0x80 || tag === 0x82) {
    if (content.length !== 0) throw new DerError("nothing in a status", 0);
    return { status: tag === 0x80 ? "good" : "unknown", revokedAt: null, reason: null };
  }
  if (tag !== 0xa1) throw new DerError("good, revoked or unknown", 0);
  const info = new DerReader(content);
  const revokedAt = readGeneralTime(info);
  const reason = info.isAtEnd ? null : readReason(info);
  info.end();
  return { status: reason === CERTIFICATE_HOLD ? "hold" : "revoked", revokedAt, reason };
}

function readReason(info: DerReader): number {
  const explicit = info.enter(0xa0);
  const reason = readSmall(explicit, Tag.Enumerated);
  explicit.end();
  if (reason > HIGHEST_REASON || reason === UNUSED_REASON) throw new DerError("a reason of revocation", 0);
  return reason;
}

/** Explicitly tagged Extensions, where they are; each once, and no critical one that is not understood. */
function readExtensions(
  reader: DerReader,
  tag: number,
  understood: ReadonlySet<string>,
): ReadonlyMap<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  if (reader.peek() !== tag) return extensions;
  const explicit = reader.enter(tag);
  const list = explicit.enter(Tag.Sequence);
  explicit.end();
  do {
    const [id, value] = readExtension(list, understood);
    if (extensions.has(id)) throw new DerError("each extension once", 0);
    extensions.set(id, value);
  } while (!list.isAtEnd);
  if (extensions.size > MAX_EXTENSIONS) throw new DerError(`at most ${MAX_EXTENSIONS} extensions`, 0);
  return extensions;
}

function readNonce(value: Uint8Array): Hex {
  const reader = new DerReader(value);
  const { content } = reader.read(Tag.OctetString);
  reader.end();
  if (content.length === 0 || content.length > MAX_NONCE) {
    throw new DerError(`a nonce of 1 to ${MAX_NONCE} bytes`, 0);
  }
  return toHex(content);
}

function readGeneralTime(reader: DerReader): number {
  if (reader.peek() !== Tag.GeneralizedTime) throw new DerError("a GeneralizedTime", 0);
  return readTime(reader);
}
