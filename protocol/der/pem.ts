import { CharterError } from "../errors/CharterError.ts";

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

/** Longest chain that is looked at. */
export const MAX_CHAIN = 10;

/**
 * Splits PEM text into DER certificates, in order. Anything between the blocks other than white space (and one NUL at
 * the end, which quotes carry) is an error. @throws CharterError `pem/malformed`.
 */
export function splitPem(text: string): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  let rest = text.endsWith("\0") ? text.slice(0, -1).trim() : text.trim();
  do {
    const end = rest.indexOf(END);
    if (!rest.startsWith(BEGIN) || end < 0) {
      throw malformed("expected PEM certificates and nothing else", certificates.length);
    }
    if (certificates.length === MAX_CHAIN) {
      throw malformed(`expected at most ${MAX_CHAIN} certificates`, certificates.length);
    }
    certificates.push(
      decodeBase64(rest.slice(BEGIN.length, end).replaceAll(/\s+/g, ""), certificates.length),
    );
    rest = rest.slice(end + END.length).trimStart();
  } while (rest !== "");
  return certificates;
}

/** Canonical base64 only (RFC 4648 §3.5): `atob` alone ignores stray bits before the padding. */
function decodeBase64(text: string, index: number): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw malformed("expected base64 inside a PEM block", index);
  }
  if (text === "" || btoa(binary) !== text) throw malformed("expected canonical base64", index);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const malformed = (expected: string, index: number): CharterError =>
  new CharterError("pem/malformed", expected, { index });
