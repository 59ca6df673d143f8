import { CharterError } from "../errors/CharterError.ts";

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Longest chain that is looked at. */
export const MAX_CHAIN = 10;

/**
 * Splits PEM text into DER certificates, in order. Anything between the blocks other than white space (and one NUL at
 * the end, which quotes carry) is an error. @throws CharterError `pem/malformed`.
 */
export function splitPem(text: string): Uint8Array[] {
  const blocks = [...text.matchAll(BLOCK)];
  const rest = text.replaceAll(BLOCK, "").replace(/\0$/, "").trim();
  if (blocks.length === 0 || rest !== "") {
    throw new CharterError("pem/malformed", "expected PEM certificates and nothing else", {
      found: blocks.length,
    });
  }
  if (blocks.length > MAX_CHAIN) {
    throw new CharterError("pem/malformed", `expected at most ${MAX_CHAIN} certificates`, {
      found: blocks.length,
    });
  }
  return blocks.map((block) => decodeBase64((block[1] as string).replaceAll(/\s/g, "")));
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new CharterError("pem/malformed", "expected base64 inside a PEM block", {}, { cause });
  }
}
