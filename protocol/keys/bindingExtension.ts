import type { DerReader } from "../der/DerReader.ts";
import { DerError, readOnly, Tag } from "../der/DerReader.ts";
import { readSmall, readUnsigned } from "../der/values.ts";
import { writeDer } from "../der/writeDer.ts";
import { fromHex, toHex, type Address } from "../words/hex.ts";
import { KeyPurpose, type SignedKeyBinding } from "./keyBinding.ts";

/** X.509 extension that carries an instance's key bindings: a UUID below 2.25 (X.667), so that nobody else's. */
export const KEY_BINDINGS_OID = "2.25.190221347511757965886656673565422379458";

/** As many purposes, each with a key that goes and one that comes. */
const MAX_BINDINGS = 6;
const MAX_PUBLIC_KEY_BYTES = 512;
const MAX_VALUE_BYTES = 8_192;
const PURPOSES: readonly number[] = Object.values(KeyPurpose);

/**
 * The extension's value, DER:
 *
 *     KeyBindings ::= SEQUENCE SIZE (1..6) OF KeyBinding
 *     KeyBinding ::= SEQUENCE { chainId INTEGER, ledger OCTET STRING (20), app OCTET STRING (20),
 *       instance OCTET STRING (20), purpose ENUMERATED { tls(0), hpke(1), session(2) },
 *       publicKey OCTET STRING (1..512), notAfter INTEGER, signature OCTET STRING (65) }
 */
export function encodeKeyBindings(bindings: readonly SignedKeyBinding[]): Uint8Array {
  if (bindings.length === 0 || bindings.length > MAX_BINDINGS) {
    throw new RangeError(`an extension carries 1 to ${MAX_BINDINGS} bindings`);
  }
  return writeDer(Tag.Sequence, ...bindings.map(encodeOne));
}

/** Reads the extension's value. @throws DerError `der/malformed`. */
export function decodeKeyBindings(value: Uint8Array): SignedKeyBinding[] {
  if (value.length > MAX_VALUE_BYTES) throw new DerError(`at most ${MAX_VALUE_BYTES} bytes`, 0);
  const list = readOnly(value, Tag.Sequence);
  const bindings: SignedKeyBinding[] = [];
  while (!list.isAtEnd) {
    if (bindings.length === MAX_BINDINGS) throw new DerError(`at most ${MAX_BINDINGS} bindings`, 0);
    bindings.push(decodeOne(list.enter(Tag.Sequence)));
  }
  if (bindings.length === 0) throw new DerError("at least one binding", 0);
  return bindings;
}

function encodeOne(binding: SignedKeyBinding): Uint8Array {
  const { chainId, ledger, app, instance, purpose, publicKey, notAfter, signature } = binding;
  return writeDer(
    Tag.Sequence,
    whole(chainId),
    octets(fromHex(ledger)),
    octets(fromHex(app)),
    octets(fromHex(instance)),
    writeDer(Tag.Enumerated, Uint8Array.of(purpose)),
    octets(publicKey),
    whole(notAfter),
    octets(fromHex(signature)),
  );
}

function decodeOne(reader: DerReader): SignedKeyBinding {
  const chainId = readWhole(reader);
  const ledger = readAddress(reader);
  const app = readAddress(reader);
  const instance = readAddress(reader);
  const purpose = readSmall(reader, Tag.Enumerated);
  if (!PURPOSES.includes(purpose)) throw new DerError("purpose tls, hpke or session", 0);
  const publicKey = reader.read(Tag.OctetString).content;
  if (publicKey.length === 0 || publicKey.length > MAX_PUBLIC_KEY_BYTES) {
    throw new DerError(`a public key of 1 to ${MAX_PUBLIC_KEY_BYTES} bytes`, 0);
  }
  const notAfter = readWhole(reader);
  const signature = toHex(readOctets(reader, 65));
  reader.end();
  const of = { chainId, ledger, app, instance, publicKey, notAfter, signature };
  return { ...of, purpose: purpose as KeyPurpose };
}

const octets = (bytes: Uint8Array): Uint8Array => writeDer(Tag.OctetString, bytes);

/** A whole number below 2^53, minimal. */
function whole(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = fromHex(`0x${hex.length % 2 === 0 ? hex : `0${hex}`}`);
  const sign = (bytes[0] as number) >= 0x80 ? [0] : [];
  return writeDer(Tag.Integer, Uint8Array.of(...sign, ...bytes));
}

function readWhole(reader: DerReader): number {
  const value = readUnsigned(reader, 7).reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(value)) throw new DerError("a number below 2^53", 0);
  return value;
}

const readAddress = (reader: DerReader): Address => toHex(readOctets(reader, 20)) as Address;

function readOctets(reader: DerReader, size: number): Uint8Array {
  const { content } = reader.read(Tag.OctetString);
  if (content.length !== size) throw new DerError(`${size} bytes`, 0);
  return content;
}
