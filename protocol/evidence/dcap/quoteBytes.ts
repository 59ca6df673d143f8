import { CharterError } from "../../errors/CharterError.ts";
import { fromHex } from "../../words/hex.ts";
import { EvidenceError } from "../EvidenceError.ts";

/** Quote text (hex, with or without 0x) → bytes. @throws EvidenceError `evidence/quote-format`. */
export function quoteBytes(text: string): Uint8Array {
  try {
    return fromHex(text.startsWith("0x") ? text : `0x${text}`, "quote");
  } catch (error) {
    throw new EvidenceError("quote-format", error instanceof CharterError ? error.message : "expected hex");
  }
}
