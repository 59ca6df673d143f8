import { DerError, readOnly, Tag } from "./DerReader.ts";
import { readObjectId } from "./values.ts";

const COMMON_NAME = "2.5.4.3";
const TEXT_TAGS: readonly number[] = [0x0c, 0x13]; // UTF8String, PrintableString

/** The one common name of a raw DER name (RFC 5280 §4.1.2.4), or null where there is none. @throws DerError. */
export function commonName(name: Uint8Array): string | null {
  const list = readOnly(name, Tag.Sequence);
  let found: string | null = null;
  while (!list.isAtEnd) {
    const set = list.enter(Tag.Set);
    while (!set.isAtEnd) {
      const attribute = set.enter(Tag.Sequence);
      const id = readObjectId(attribute);
      const value = attribute.readAny();
      attribute.end();
      if (id !== COMMON_NAME) continue;
      if (found !== null || !TEXT_TAGS.includes(value.tag)) throw new DerError("one common name as text", 0);
      found = new TextDecoder("utf-8", { fatal: false }).decode(value.content);
    }
  }
  return found;
}
