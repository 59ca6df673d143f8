import { parseCertificateOf, type Certificate } from "../../../der/certificate.ts";
import { readOnly, Tag } from "../../../der/DerReader.ts";
import { readObjectId } from "../../../der/values.ts";
import { equalBytes } from "../../../words/bytes.ts";
import { toHex } from "../../../words/hex.ts";
import type { BasicOcspResponse, ResponderId } from "./parseOcsp.ts";

const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE]);

/** Who may have signed a response, with what they may sign. */
export interface Candidate {
  readonly certificate: Certificate;
  /** The issuer itself, not somebody to whom it gave the right. */
  readonly isIssuer: boolean;
  /** By both of its usages, a key for OCSP responses (RFC 6960 §4.2.2.2). */
  readonly isForOcsp: boolean;
}

/** The issuer, and each certificate that came along. @throws DerError. */
export function readCandidates({ certificates }: BasicOcspResponse, issuer: Certificate): Candidate[] {
  const others = certificates.filter((raw) => !equalBytes(raw, issuer.raw));
  return [
    { certificate: issuer, isIssuer: true, isForOcsp: false },
    ...others.map((raw) => {
      const certificate = parseCertificateOf(raw, UNDERSTOOD);
      return { certificate, isIssuer: false, isForOcsp: isForOcsp(certificate) };
    }),
  ];
}

/** Whether a response names this certificate, whose key has this SHA-1, as its signer's. */
export const isNamed = (responder: ResponderId, { certificate }: Candidate, keyHash: Uint8Array): boolean =>
  "name" in responder ? responder.name === certificate.subject : responder.keyHash === toHex(keyHash);

function isForOcsp({ extensions }: Certificate): boolean {
  const usage = extensions.get(KEY_USAGE);
  // BIT STRING: tag, length, unused bits, then digitalSignature and nonRepudiation on top.
  if (usage && ((usage[3] ?? 0) & 0xc0) === 0) return false;
  const value = extensions.get(EXTENDED_KEY_USAGE);
  if (!value) return false;
  const list = readOnly(value, Tag.Sequence);
  const purposes: string[] = [];
  while (!list.isAtEnd) purposes.push(readObjectId(list));
  return purposes.includes(OCSP_SIGNING);
}
