import { concatBytes } from "../words/bytes.ts";

/** One DER element: tag, minimal length, content of at most 65,535 bytes. */
export function writeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...content);
  const size = body.length;
  if (size > 0xffff) throw new RangeError("the content of an element is at most 65,535 bytes");
  const long = size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return concatBytes(Uint8Array.from([tag, ...(size < 0x80 ? [size] : long)]), body);
}
