import { fromHex, hexBytes } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";

type Types = Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;

/** Writes one value into its word; false for a value that is not surely of the type. */
type Writer = (value: unknown, word: Uint8Array) => boolean;

interface Layout {
  readonly typeHash: Uint8Array;
  readonly fields: readonly { readonly name: string; readonly write: Writer }[];
}

const WORD = 32;
const LOWER_ADDRESS = /^0x[0-9a-f]{40}$/;
const UINT = /^uint([0-9]{1,3})$/;
const UTF8 = new TextEncoder();
/** By the object of the types, which are constants of protocol/session. */
const layouts = new WeakMap<Types, Map<string, Layout | null>>();

/**
 * EIP-712 `encodeData` of a struct whose fields are addresses, words, whole numbers, flags and strings: what the struct's
 * hash is of. Null where a type is another, or a value is not surely of its type: the caller asks whoever knows all types
 * and all errors.
 */
export function flatStruct(
  types: Types,
  primaryType: string,
  message: Readonly<Record<string, unknown>>,
): Uint8Array | null {
  const layout = layoutOf(types, primaryType);
  if (layout === null) return null;
  const encoded = new Uint8Array(WORD * (1 + layout.fields.length));
  encoded.set(layout.typeHash);
  for (const [index, { name, write }] of layout.fields.entries()) {
    const from = WORD * (1 + index);
    if (!write(message[name], encoded.subarray(from, from + WORD))) return null;
  }
  return encoded;
}

function layoutOf(types: Types, primaryType: string): Layout | null {
  let known = layouts.get(types);
  if (known === undefined) layouts.set(types, (known = new Map<string, Layout | null>()));
  let layout = known.get(primaryType);
  if (layout === undefined) known.set(primaryType, (layout = newLayout(types, primaryType)));
  return layout;
}

function newLayout(types: Types, primaryType: string): Layout | null {
  const fields = types[primaryType]?.flatMap(({ name, type }) => {
    const write = types[type] === undefined ? writerOf(type) : null;
    return write === null ? [] : [{ name, write }];
  });
  const named = types[primaryType];
  if (fields === undefined || named === undefined || fields.length !== named.length) return null;
  const text = `${primaryType}(${named.map(({ name, type }) => `${type} ${name}`).join(",")})`;
  return { typeHash: fromHex(keccak256(UTF8.encode(text))), fields };
}

function writerOf(type: string): Writer | null {
  switch (type) {
    case "address":
      return (value, word) => typeof value === "string" && LOWER_ADDRESS.test(value) && put(value, 20, word);
    case "bytes32":
      return (value, word) => typeof value === "string" && value.startsWith("0x") && put(value, WORD, word);
    case "bool":
      return (value, word) => {
        if (typeof value !== "boolean") return false;
        word[WORD - 1] = Number(value);
        return true;
      };
    case "string":
      return (value, word) => typeof value === "string" && put(keccak256(UTF8.encode(value)), WORD, word);
    default:
      return uintWriter(Number(UINT.exec(type)?.[1] ?? 0));
  }
}

/** Numbers beyond 64 bits are rare enough to be another's work. */
function uintWriter(bits: number): Writer | null {
  if (bits === 0 || bits > 256 || bits % 8 !== 0) return null;
  const end = 1n << BigInt(Math.min(bits, 64));
  return (value, word) => {
    if (typeof value !== "bigint" && !(typeof value === "number" && Number.isSafeInteger(value)))
      return false;
    const number = BigInt(value);
    if (number < 0n || number >= end) return false;
    new DataView(word.buffer, word.byteOffset).setBigUint64(WORD - 8, number);
    return true;
  };
}

/** Writes hex of so many bytes at the word's end. */
function put(hex: string, length: number, word: Uint8Array): boolean {
  const bytes = hexBytes(hex, 2);
  if (bytes?.length !== length) return false;
  word.set(bytes, WORD - length);
  return true;
}
