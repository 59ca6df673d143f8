import { CharterError } from "../errors/CharterError.ts";

declare const brand: unique symbol;
/**
 * A value whose shape was checked once, at the edge. The mark is an object per name: two literal marks of one property
 * would make a brand of a brand (ComposeHash, PlatformId) `never`, which is assignable to everything.
 */
export type Brand<T, Name extends string> = T & { readonly [brand]: { readonly [name in Name]: true } };

/** Lower-case 0x-prefixed hex, whole bytes. */
export type Hex = `0x${string}`;
/** 20 bytes, lower case. */
export type Address = Brand<Hex, "Address">;
/** 32 bytes, lower case. */
export type Bytes32 = Brand<Hex, "Bytes32">;
/** SHA-256 of a manifest's raw bytes (DESIGN "Compose hash"). */
export type ComposeHash = Brand<Bytes32, "ComposeHash">;
/** SHA-256 of a release note's raw bytes. */
export type NoteDigest = Brand<Bytes32, "NoteDigest">;
/** SHA-256 of PPID (Intel) or chip id (AMD); equal to dstack's device id. */
export type PlatformId = Brand<Bytes32, "PlatformId">;

/** Parses hex of an exact byte length (any case, 0x required) to a lower-case value, or throws `hex/invalid`. */
export function parseHex(value: unknown, bytes?: number, name = "value"): Hex {
  if (typeof value !== "string" || !/^0x(?:[0-9a-fA-F]{2})*$/.test(value)) throw notHex(value, name);
  if (bytes !== undefined && value.length !== 2 + 2 * bytes) {
    throw new CharterError("hex/length", `${name} must be ${bytes} bytes`, {
      name,
      expected: bytes,
      actual: (value.length - 2) / 2,
    });
  }
  return value.toLowerCase() as Hex;
}

const notHex = (value: unknown, name: string): CharterError =>
  new CharterError("hex/invalid", `${name} must be 0x-prefixed hex of whole bytes`, { name, actual: value });

export const parseAddress = (value: unknown, name = "address"): Address =>
  parseHex(value, 20, name) as Address;
export const parseBytes32 = (value: unknown, name = "bytes32"): Bytes32 =>
  parseHex(value, 32, name) as Bytes32;
export const parseComposeHash = (value: unknown): ComposeHash =>
  parseHex(value, 32, "composeHash") as ComposeHash;
export const parseNoteDigest = (value: unknown): NoteDigest =>
  parseHex(value, 32, "noteDigest") as NoteDigest;
export const parsePlatformId = (value: unknown): PlatformId =>
  parseHex(value, 32, "platformId") as PlatformId;

const DIGITS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** Node's, where there is one: it reads and writes long hex several times as fast as a loop does. */
const nodeBuffer = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer;
/** Bytes from which on that pays. */
const LONG = { toWrite: 32, toRead: 128 } as const;

/** Bytes → lower-case 0x hex. */
export function toHex(bytes: Uint8Array): Hex {
  if (nodeBuffer !== undefined && bytes.length >= LONG.toWrite) {
    return `0x${nodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`;
  }
  let out = "0x";
  for (const byte of bytes) out += DIGITS[byte];
  return out as Hex;
}

/** 0x hex → bytes, or throws `hex/invalid`. */
export function fromHex(value: string, name = "value"): Uint8Array {
  const bytes = typeof value === "string" && value.startsWith("0x") ? hexBytes(value, 2) : null;
  if (bytes === null) throw notHex(value, name);
  return bytes;
}

/** Values of the hex digits by character code, of either case; -1 for what is none. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? parseInt(String.fromCharCode(code), 16) : -1,
);

/** Hex digits behind the first `skip` characters → bytes; null where they are not hex of whole bytes. */
export function hexBytes(text: string, skip = 0): Uint8Array | null {
  const length = text.length - skip;
  if (length % 2 !== 0) return null;
  const out = new Uint8Array(length / 2);
  if (nodeBuffer !== undefined && out.length >= LONG.toRead) {
    // It reads the low byte of a character only, and stops at what is no hex.
    if (nodeBuffer.byteLength(text) !== text.length) return null;
    const written = nodeBuffer.from(out.buffer).write(skip === 0 ? text : text.slice(skip), "hex");
    return written === out.length ? out : null;
  }
  for (let i = 0, at = skip; i < out.length; i++, at += 2) {
    const value = (valueAt(text, at) << 4) | valueAt(text, at + 1);
    if (value < 0) return null;
    out[i] = value;
  }
  return out;
}

/** Negative where no digit stands: its sign survives whatever it is put together with. */
const valueAt = (text: string, at: number): number => VALUES[text.charCodeAt(at)] ?? -1;
