import { CharterError } from "../errors/CharterError.ts";
import { hexBytes, type Address, type Bytes32 } from "./hex.ts";

const WORD = 32;
const ADDRESS = 20;
const LOW = (1n << 64n) - 1n;

/**
 * abi.encode of addresses, words and whole numbers (any `uint`), one word each: what most of our digests are of. A general
 * encoder looks at types and values a hundred times as long. @throws CharterError `hex/invalid`, `hex/length`.
 */
export function abiWords(...values: readonly (Address | Bytes32 | bigint)[]): Uint8Array {
  const words = new Uint8Array(WORD * values.length);
  values.forEach((value, index) => {
    const end = WORD * (index + 1);
    if (typeof value === "bigint") writeUint(words, end, value);
    else writeHex(words, end, value);
  });
  return words;
}

function writeHex(words: Uint8Array, end: number, value: string): void {
  const bytes = value.startsWith("0x") ? hexBytes(value, 2) : null;
  if (bytes === null) throw new CharterError("hex/invalid", "expected 0x-prefixed hex", { actual: value });
  if (bytes.length !== ADDRESS && bytes.length !== WORD) {
    throw new CharterError("hex/length", "expected an address or a word", {
      expected: [ADDRESS, WORD],
      actual: bytes.length,
    });
  }
  words.set(bytes, end - bytes.length);
}

function writeUint(words: Uint8Array, end: number, value: bigint): void {
  if (value < 0n || value >> 256n !== 0n) {
    throw new CharterError("hex/length", "expected a number of 256 bits", { actual: value });
  }
  const view = new DataView(words.buffer);
  for (let rest = value, at = end - 8; rest > 0n; rest >>= 64n, at -= 8) view.setBigUint64(at, rest & LOW);
}
