import { CharterError } from "../errors/CharterError.ts";

/** Tags that our formats use (X.690 §8). */
export const Tag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  ObjectId: 0x06,
  Enumerated: 0x0a,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Sequence: 0x30,
  Set: 0x31,
} as const;

/** One element: its content, and its whole bytes (tag and length included), both as views of the input. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

/** Raised for anything that is not strict DER: `der/malformed`. */
export class DerError extends CharterError {
  constructor(expected: string, offset: number) {
    super("der/malformed", `not strict DER: expected ${expected} at offset ${offset}`, { expected, offset });
    this.name = "DerError";
  }
}

/**
 * A strict DER reader (X.690 §10): definite minimal lengths, single-byte tags, nothing left over unless asked for.
 * It reads a view and copies nothing.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Tag of the next element, or undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element, which must have this tag. */
  read(tag: number): DerElement {
    const start = this.#offset;
    const bytes = this.#bytes;
    if (bytes[start] !== tag) throw new DerError(`tag 0x${tag.toString(16)}`, start);
    let offset = start + 2;
    let length = bytes[start + 1];
    if (length === undefined) throw new DerError("a length", start + 1);
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 3) throw new DerError("a definite length of at most 3 bytes", start + 1);
      length = 0;
      for (let i = 0; i < count; i++) {
        const byte = bytes[offset++];
        if (byte === undefined) throw new DerError("a whole length", offset);
        length = length * 256 + byte;
      }
      // Minimal form: no long form below 128, no leading zero byte.
      if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError("a minimal length", start + 1);
    }
    const end = offset + length;
    if (end > bytes.length) throw new DerError(`${length} bytes of content`, offset);
    this.#offset = end;
    return { tag, content: bytes.subarray(offset, end), raw: bytes.subarray(start, end) };
  }

  /** The next element whatever its (single-byte) tag. */
  readAny(): DerElement {
    const tag = this.peek();
    if (tag === undefined || (tag & 0x1f) === 0x1f) throw new DerError("a single-byte tag", this.#offset);
    return this.read(tag);
  }

  /** The next element when it has this tag, else undefined. */
  readOptional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.read(tag) : undefined;
  }

  /** A reader over the content of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.read(tag).content);
  }

  /** Must be called when everything was read: trailing bytes are an error. */
  end(): void {
    if (!this.isAtEnd) throw new DerError("the end", this.#offset);
  }
}

/** Reads exactly one element that fills the input. */
export function readOnly(bytes: Uint8Array, tag: number): DerReader {
  const reader = new DerReader(bytes);
  const inside = reader.enter(tag);
  reader.end();
  return inside;
}
