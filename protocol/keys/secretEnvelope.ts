import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import * as z from "zod/mini";

import { CharterError } from "../errors/CharterError.ts";
import { fromHex, toHex, type Address, type Hex } from "../words/hex.ts";
import { parseStrictJson } from "../words/strictJson.ts";
import { SECRET_NAME } from "./secretName.ts";

/** Longest value of a secret. */
export const MAX_SECRET_BYTES = 65_536;
const MAX_ENVELOPE_CHARACTERS = 4 * MAX_SECRET_BYTES;
const TAG_BYTES = 16;

/** Which value a secret is: all of it is authenticated with the ciphertext. */
export interface SecretLabel {
  readonly chainId: number;
  readonly app: Address;
  /** An environment variable's name. */
  readonly name: string;
  /** Rises with every `set`: the highest is the value. */
  readonly counter: number;
}

/** A value that only instances of the app can read. */
export interface SecretEnvelope extends SecretLabel {
  /** The KEM's encapsulated key, 32 bytes. */
  readonly enc: Hex;
  readonly ciphertext: Hex;
}

/** A key pair of the app: `publicKey` is what a `KeyBinding` of purpose hpke carries. */
export interface SecretKeys {
  readonly publicKey: Uint8Array;
  readonly privateKey: CryptoKey;
}

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180 §7). */
const suite = (): CipherSuite =>
  new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** Key pair that follows from 32 secret bytes of the app (RFC 9180 §7.1.3): every replica gets the same. */
export async function secretKeys(ikm: Uint8Array): Promise<SecretKeys> {
  if (ikm.length !== 32) throw new RangeError(`an app's key has 32 bytes, not ${ikm.length}`);
  const { kem } = suite();
  const { publicKey, privateKey } = await kem.deriveKeyPair(bufferOf(ikm));
  return { publicKey: new Uint8Array(await kem.serializePublicKey(publicKey)), privateKey };
}

/**
 * Encrypts a value to an app. The caller has verified that `publicKey` is the app's: binding, evidence and `isLive`.
 * @throws CharterError `secret/value-size`, `secret/name-invalid`, `secret/key-invalid`.
 */
export async function sealSecret(
  publicKey: Uint8Array,
  label: SecretLabel,
  value: Uint8Array,
): Promise<SecretEnvelope> {
  requireLabel(label);
  if (value.length === 0 || value.length > MAX_SECRET_BYTES) {
    throw new CharterError("secret/value-size", `a secret has 1 to ${MAX_SECRET_BYTES} bytes`, {
      expected: MAX_SECRET_BYTES,
      actual: value.length,
    });
  }
  const hpke = suite();
  try {
    const recipientPublicKey = await hpke.kem.deserializePublicKey(bufferOf(publicKey));
    const sealed = await hpke.seal({ recipientPublicKey, info: INFO }, bufferOf(value), associated(label));
    const { chainId, app, name, counter } = label;
    return { chainId, app, name, counter, enc: hexOf(sealed.enc), ciphertext: hexOf(sealed.ct) };
  } catch (cause) {
    throw new CharterError("secret/key-invalid", "expected an X25519 public key of 32 bytes", {}, { cause });
  }
}

/**
 * Decrypts inside a guest. `expected` is what the guest asked for: an envelope of another app or name is not opened.
 * @throws CharterError `secret/other-label` (naming the field), `secret/not-ours` where it was not sealed to this key or
 * was changed. Never with a byte of the value.
 */
export async function openSecret(
  { privateKey }: SecretKeys,
  envelope: SecretEnvelope,
  expected: Omit<SecretLabel, "counter">,
): Promise<Uint8Array> {
  requireLabel(envelope);
  for (const field of ["chainId", "app", "name"] as const) {
    if (envelope[field] === expected[field]) continue;
    throw new CharterError("secret/other-label", "this secret is for something else", {
      field,
      expected: expected[field],
      actual: envelope[field],
    });
  }
  try {
    const enc = bufferOf(fromHex(envelope.enc));
    const ciphertext = bufferOf(fromHex(envelope.ciphertext));
    const recipient = { recipientKey: privateKey, enc, info: INFO };
    return new Uint8Array(await suite().open(recipient, ciphertext, associated(envelope)));
  } catch (cause) {
    const { app, name } = expected;
    throw new CharterError(
      "secret/not-ours",
      "this secret was not sealed to this app's key",
      { app, name },
      { cause },
    );
  }
}

/** The envelope's bytes: what is stored, by their SHA-256. */
export function encodeSecret({ chainId, app, name, counter, enc, ciphertext }: SecretEnvelope): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ version: 1, chainId, app, name, counter, enc, ciphertext }),
  );
}

/** Reads an envelope's bytes strictly. @throws CharterError `secret/malformed`. */
export function decodeSecret(bytes: Uint8Array): SecretEnvelope {
  if (bytes.length > MAX_ENVELOPE_CHARACTERS) throw malformed(`at most ${MAX_ENVELOPE_CHARACTERS} bytes`);
  let json: unknown;
  try {
    json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "secret");
  } catch {
    throw malformed("JSON"); // Without its cause: nothing of what was sent is repeated.
  }
  const parsed = z.safeParse(schema, json);
  if (!parsed.success) throw malformed(parsed.error.issues[0]?.path.join(".") ?? "an envelope");
  const { version: _, app, enc, ciphertext, ...rest } = parsed.data;
  return { ...rest, app: app as Address, enc: enc as Hex, ciphertext: ciphertext as Hex };
}

const whole = z.int().check(z.minimum(0));
const schema = z.strictObject({
  version: z.literal(1),
  chainId: whole,
  app: z.string().check(z.regex(/^0x[0-9a-f]{40}$/)),
  name: z.string().check(z.regex(SECRET_NAME)),
  counter: whole,
  enc: z.string().check(z.regex(/^0x[0-9a-f]{64}$/)),
  ciphertext: z
    .string()
    .check(
      z.regex(/^0x(?:[0-9a-f]{2})+$/),
      z.minLength(2 + 2 * (TAG_BYTES + 1)),
      z.maxLength(2 + 2 * (TAG_BYTES + MAX_SECRET_BYTES)),
    ),
});

const INFO = bufferOf(new TextEncoder().encode("charter-secret-v1"));

/** The label as one text that no other label has. */
const associated = ({ chainId, app, name, counter }: SecretLabel): ArrayBuffer =>
  bufferOf(new TextEncoder().encode(JSON.stringify([chainId, app.toLowerCase(), name, counter])));

function requireLabel({ name, counter, chainId }: SecretLabel): void {
  if (
    SECRET_NAME.test(name) &&
    Number.isSafeInteger(counter) &&
    counter >= 0 &&
    Number.isSafeInteger(chainId)
  )
    return;
  throw new CharterError("secret/name-invalid", "a secret is named like a variable and counted from 0", {
    name,
  });
}

const malformed = (expected: string): CharterError =>
  new CharterError("secret/malformed", `expected a secret's envelope: ${expected}`, { expected });

const hexOf = (buffer: ArrayBuffer): Hex => toHex(new Uint8Array(buffer));

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
