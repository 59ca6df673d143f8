import { EvidenceError } from "./EvidenceError.ts";

/** Reads little-endian structures front to back; running out of bytes is `evidence/quote-format`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) {
      throw new EvidenceError(
        "quote-format",
        `expected ${length} bytes of ${what} at offset ${this.#offset}`,
        {
          what,
          expected: length,
          actual: this.remaining,
        },
      );
    }
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  u16(what: string): number {
    const [low = 0, high = 0] = this.take(2, what);
    return low + high * 256;
  }

  u32(what: string): number {
    return this.take(4, what).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** Everything that is left must be zero bytes (padding), or nothing. */
  endWithPadding(): void {
    const offset = this.#offset;
    if (this.take(this.remaining, "padding").some((byte) => byte !== 0)) {
      throw new EvidenceError("quote-format", "expected nothing but zero padding after the quote", {
        offset,
      });
    }
  }

  end(what: string): void {
    if (this.remaining !== 0) {
      throw new EvidenceError("quote-format", `expected nothing after ${what}`, {
        what,
        actual: this.remaining,
      });
    }
  }
}
