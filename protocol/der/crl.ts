import type { SignatureScheme } from "../crypto/crypto.ts";
import { toHex } from "../words/hex.ts";
import { readScheme, readSignatureBits } from "./algorithms.ts";
import { readExtension } from "./certificate.ts";
import { DerError, DerReader, readOnly, Tag } from "./DerReader.ts";
import { readName } from "./name.ts";
import { readSmall, readTime, readUnsigned } from "./values.ts";

/** A v2 certificate revocation list (RFC 5280 §5). */
export interface Crl {
  readonly tbs: Uint8Array;
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers in the form of `Certificate.serial`. */
  readonly revoked: ReadonlySet<string>;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
}

const MAX_CRL_BYTES = 4 * 1_048_576;
const NONE: ReadonlySet<string> = new Set();

/** Parses one DER CRL. @throws DerError. */
export function parseCrl(raw: Uint8Array): Crl {
  if (raw.length > MAX_CRL_BYTES) throw new DerError(`at most ${MAX_CRL_BYTES} bytes`, 0);
  const outer = readOnly(raw, Tag.Sequence);
  const tbsElement = outer.read(Tag.Sequence);
  const { scheme, id } = readScheme(outer);
  const signature = readSignatureBits(outer, scheme);
  outer.end();

  const tbs = new DerReader(tbsElement.content);
  if (readSmall(tbs) !== 1) throw new DerError("version 2", 0);
  if (readScheme(tbs).id !== id) throw new DerError("one signature algorithm, inside and outside", 0);
  const issuer = readName(tbs);
  const thisUpdate = readTime(tbs);
  // RFC 5280 lets nextUpdate be absent; without it we could never fail closed.
  const nextUpdate = readTime(tbs);
  const revoked = tbs.peek() === Tag.Sequence ? readRevoked(tbs.enter(Tag.Sequence)) : NONE;
  if (!tbs.isAtEnd) {
    const wrapper = tbs.enter(0xa0);
    const list = wrapper.enter(Tag.Sequence);
    wrapper.end();
    while (!list.isAtEnd) readExtension(list, NONE);
  }
  tbs.end();
  return { tbs: tbsElement.raw, issuer, thisUpdate, nextUpdate, revoked, scheme, signature };
}

function readRevoked(list: DerReader): Set<string> {
  const serials = new Set<string>();
  while (!list.isAtEnd) {
    const entry = list.enter(Tag.Sequence);
    serials.add(toHex(readUnsigned(entry, 20)));
    readTime(entry);
    if (!entry.isAtEnd) {
      const extensions = entry.enter(Tag.Sequence);
      while (!extensions.isAtEnd) readExtension(extensions, NONE);
    }
    entry.end();
  }
  return serials;
}
