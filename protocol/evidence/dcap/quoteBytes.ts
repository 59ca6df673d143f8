import { hexBytes } from "../../words/hex.ts";
import { EvidenceError } from "../EvidenceError.ts";

/** Quote text (hex, with or without 0x) → bytes. @throws EvidenceError `evidence/quote-format`. */
export function quoteBytes(text: string): Uint8Array {
  const bytes = hexBytes(text, text.startsWith("0x") ? 2 : 0);
  if (bytes === null) throw new EvidenceError("quote-format", "quote must be hex of whole bytes");
  return bytes;
}
