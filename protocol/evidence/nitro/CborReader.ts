import { EvidenceError } from "../EvidenceError.ts";

/** Major types (RFC 8949 §3.1). */
const Major = { Uint: 0, Bytes: 2, Text: 3, Array: 4, Map: 5, Tag: 6 } as const;
const NULL = 0xf6;
const BREAK = 0xff;
const INDEFINITE_MAP = 0xbf;

/**
 * Reads CBOR (RFC 8949) as its caller expects it, front to back: numbers and lengths in their shortest form, every
 * length bounded, no recursion. There is no "any value": what nobody asked for is an error. The one indefinite length
 * that AWS writes, of the document's map, may be asked for.
 */
export class CborReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws EvidenceError `evidence/nitro-format`, as everything here. */
  uint(what: string): number {
    return this.#head(Major.Uint, what);
  }

  bytes(what: string, least: number, most: number): Uint8Array {
    return this.#take(this.#length(Major.Bytes, what, least, most), what);
  }

  text(what: string, least: number, most: number): string {
    const bytes = this.#take(this.#length(Major.Text, what, least, most), what);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw this.#refused(`${what} in UTF-8`);
    }
  }

  /** Null (or nothing of that name) where a value is optional. */
  optional<T>(read: () => T): T | null {
    if (this.#bytes[this.#offset] !== NULL) return read();
    this.#offset++;
    return null;
  }

  array(what: string, least: number, most: number): number {
    return this.#length(Major.Array, what, least, most);
  }

  /** Skips this tag where it stands. */
  optionalTag(tag: number): void {
    const head = this.#bytes[this.#offset] ?? 0;
    if (head >> 5 === Major.Tag && this.#head(Major.Tag, "a tag") !== tag) throw this.#refused(`tag ${tag}`);
  }

  /** Calls `read` before each entry of a map of definite or indefinite length; it reads key and value. */
  map(what: string, most: number, read: () => void): void {
    if (this.#bytes[this.#offset] === INDEFINITE_MAP) {
      this.#offset++;
      for (let entries = 0; this.#bytes[this.#offset] !== BREAK; entries++) {
        if (entries >= most) throw this.#refused(`${what} of at most ${most} entries`);
        read();
      }
      this.#offset++;
      return;
    }
    const entries = this.#length(Major.Map, what, 0, most);
    for (let i = 0; i < entries; i++) read();
  }

  end(what: string): void {
    if (this.#offset !== this.#bytes.length) throw this.#refused(`nothing after ${what}`);
  }

  #length(major: number, what: string, least: number, most: number): number {
    const length = this.#head(major, what);
    if (length < least || length > most) throw this.#refused(`${what} of ${least} to ${most}`, length);
    return length;
  }

  /** Type and argument of the next item. */
  #head(major: number, what: string): number {
    const [head] = this.#take(1, what);
    if (head === undefined || head >> 5 !== major) throw this.#refused(what);
    const info = head & 0x1f;
    if (info < 24) return info;
    const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0;
    if (size === 0) throw this.#refused(`${what} of definite length`);
    const value = this.#take(size, what).reduce((sum, byte) => sum * 256 + byte, 0);
    const least = size === 1 ? 24 : 256 ** (size / 2);
    if (value < least || !Number.isSafeInteger(value)) throw this.#refused(`${what} in its shortest form`);
    return value;
  }

  #take(length: number, what: string): Uint8Array {
    const from = this.#offset;
    if (length > this.#bytes.length - from) throw this.#refused(`${length} bytes of ${what}`);
    this.#offset += length;
    return this.#bytes.subarray(from, this.#offset);
  }

  #refused(expected: string, actual?: number): EvidenceError {
    return new EvidenceError("nitro-format", `expected ${expected}`, {
      expected,
      offset: this.#offset,
      ...(actual === undefined ? {} : { actual }),
    });
  }
}
