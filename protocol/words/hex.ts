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
  if (typeof value !== "string" || !/^0x(?:[0-9a-fA-F]{2})*$/.test(value)) {
    throw new CharterError("hex/invalid", `${name} must be 0x-prefixed hex of whole bytes`, {
      name,
      actual: value,
    });
  }
  if (bytes !== undefined && value.length !== 2 + 2 * bytes) {
    throw new CharterError("hex/length", `${name} must be ${bytes} bytes`, {
      name,
      expected: bytes,
      actual: (value.length - 2) / 2,
    });
  }
  return value.toLowerCase() as Hex;
}

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

/** Bytes → lower-case 0x hex. */
export function toHex(bytes: Uint8Array): Hex {
  let out = "0x";
  for (const byte of bytes) out += DIGITS[byte];
  return out as Hex;
}

/** 0x hex → bytes, or throws `hex/invalid`. */
export function fromHex(value: string, name = "value"): Uint8Array {
  const hex = parseHex(value, undefined, name);
  const out = new Uint8Array((hex.length - 2) / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = 16 * digitOf(hex.charCodeAt(2 + 2 * i)) + digitOf(hex.charCodeAt(3 + 2 * i));
  }
  return out;
}

/** Value of a lower-case hex digit's character code. */
const digitOf = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57);
