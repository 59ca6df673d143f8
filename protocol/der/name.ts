import { toHex } from "../words/hex.ts";
import { DerError, DerReader, readOnly, Tag } from "./DerReader.ts";
import { readObjectId } from "./values.ts";

const COMMON_NAME = "2.5.4.3";
const UTF8 = 0x0c;
const PRINTABLE = 0x13;
const IA5 = 0x16;

/**
 * Reads a Name (RFC 5280 §4.1.2.4), whose raw DER is what chains are compared by: sets of attributes, each an identifier
 * and a text. Nothing that another reader could take for another name stands in it.
 */
export function readName(reader: DerReader): string {
  const name = reader.read(Tag.Sequence);
  const list = new DerReader(name.content);
  while (!list.isAtEnd) {
    const set = list.enter(Tag.Set);
    do readAttribute(set);
    while (!set.isAtEnd);
  }
  return toHex(name.raw);
}

/** The one common name of a raw DER name, or null where there is none. @throws DerError. */
export function commonName(name: Uint8Array): string | null {
  const list = readOnly(name, Tag.Sequence);
  let found: string | null = null;
  while (!list.isAtEnd) {
    const set = list.enter(Tag.Set);
    while (!set.isAtEnd) {
      const { id, text } = readAttribute(set);
      if (id !== COMMON_NAME) continue;
      if (found !== null) throw new DerError("one common name", 0);
      found = new TextDecoder().decode(text);
    }
  }
  return found;
}

/** AttributeTypeAndValue with a text; its bytes are UTF-8 whatever its tag. */
function readAttribute(set: DerReader): { readonly id: string; readonly text: Uint8Array } {
  const attribute = set.enter(Tag.Sequence);
  const id = readObjectId(attribute);
  const { tag, content } = attribute.readAny();
  attribute.end();
  const isAscii = content.every((byte) => byte < 0x80);
  const isText = tag === UTF8 ? isAscii || isUtf8(content) : isAscii && (tag === PRINTABLE || tag === IA5);
  if (!isText || content.length === 0) throw new DerError("an attribute of a name as text", 0);
  return { id, text: content };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
