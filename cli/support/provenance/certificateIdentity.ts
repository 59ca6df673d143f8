import type { SignedEntity } from "@sigstore/verify";

import { DerReader, readOnly, Tag } from "../../../protocol/der/DerReader.ts";
import type { Identity } from "../../../protocol/note/provenance.ts";

type Certificate = Extract<SignedEntity["key"], { $case: "certificate" }>["certificate"];

// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
const ISSUER_V1 = "1.3.6.1.4.1.57264.1.1";
const ISSUER_V2 = "1.3.6.1.4.1.57264.1.8";
const UTF8_STRING = 0x0c;
// GeneralName (RFC 5280 §4.2.1.6)
const RFC822_NAME = 0x81;
const URI = 0x86;

/**
 * Whom a Fulcio certificate names. Read here and not taken from the library, which drops the eighth bit of every byte and
 * the second of several names: another name could then read as the expected one.
 * @throws DerError, Error when the certificate does not name exactly one subject and an issuer.
 */
export function certificateIdentity(certificate: Certificate): Identity {
  const names = certificate.extSubjectAltName;
  if (names === undefined) throw new Error("expected a subject alternative name");
  const reader = readOnly(names.value, Tag.Sequence);
  const { tag, content } = reader.readAny();
  reader.end();
  if (tag !== RFC822_NAME && tag !== URI) throw new Error("expected a URI or a mail address as the subject");
  return { issuer: ascii(issuerOf(certificate)), subject: ascii(content) };
}

function issuerOf(certificate: Certificate): Uint8Array {
  const current = certificate.extension(ISSUER_V2);
  if (current !== undefined) {
    const reader = new DerReader(current.value);
    const { content } = reader.read(UTF8_STRING);
    reader.end();
    return content;
  }
  const old = certificate.extension(ISSUER_V1);
  if (old === undefined) throw new Error("expected the issuer of the identity");
  return old.value;
}

function ascii(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  if (!/^[!-~]+$/.test(text)) throw new Error("expected an identity of printable ASCII");
  return text;
}
