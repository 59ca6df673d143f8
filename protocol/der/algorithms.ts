import type { SignatureScheme } from "../crypto/crypto.ts";
import { toHex } from "../words/hex.ts";
import { DerError, DerReader, Tag } from "./DerReader.ts";
import { readEcdsaSignature, readUnsigned, readWholeBits } from "./values.ts";

/** id-RSASSA-PSS; its parameters SHA-384, MGF1 with SHA-384, a salt of 48 bytes (RFC 4055 §3.1). */
const PSS = "06092a864886f70d01010a";
const PSS_SHA384 =
  "a00f300d06096086480165030402020500" +
  "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130";

/** The AlgorithmIdentifiers of signatures that evidence has, byte for byte: each has one encoding in DER. */
const SIGNATURES: Readonly<Record<string, SignatureScheme>> = {
  "0x300a06082a8648ce3d040302": "p256-sha256", // ecdsa-with-SHA256 (RFC 5758 §3.2)
  "0x300a06082a8648ce3d040303": "p384-sha384", // ecdsa-with-SHA384
  [`0x3041${PSS}3034${PSS_SHA384}`]: "rsa-pss-sha384",
  // AMD writes the default trailer field, which DER would leave out.
  [`0x3046${PSS}3039${PSS_SHA384}a303020101`]: "rsa-pss-sha384",
};

export type KeyType = "P-256" | "P-384" | "RSA-4096";

/** The same for public keys. */
const KEYS: Readonly<Record<string, KeyType>> = {
  "0x301306072a8648ce3d020106082a8648ce3d030107": "P-256", // RFC 5480 §2.1.1
  "0x301006072a8648ce3d020106052b81040022": "P-384",
  "0x300d06092a864886f70d0101010500": "RSA-4096", // rsaEncryption (RFC 3279 §2.3.1)
};

/** The scheme that an AlgorithmIdentifier names, with its exact bytes. @throws DerError for any other. */
export function readScheme(reader: DerReader): { readonly scheme: SignatureScheme; readonly id: string } {
  const id = toHex(reader.read(Tag.Sequence).raw);
  const scheme = Object.hasOwn(SIGNATURES, id) ? SIGNATURES[id] : undefined;
  if (!scheme) throw new DerError("ECDSA on P-256 or P-384, or RSA-PSS with SHA-384", 0);
  return { scheme, id };
}

/** BIT STRING of a signature: r‖s of the curve's size, or the RSA block. */
export function readSignatureBits(reader: DerReader, scheme: SignatureScheme): Uint8Array {
  const bits = readWholeBits(reader);
  if (scheme === "rsa-pss-sha384") {
    if (bits.length !== 512) throw new DerError("an RSA-4096 signature of 512 bytes", 0);
    return bits;
  }
  const inside = new DerReader(bits);
  const signature = readEcdsaSignature(inside, scheme === "p256-sha256" ? 32 : 48);
  inside.end();
  return signature;
}

/**
 * SubjectPublicKeyInfo: x‖y of an uncompressed point, or for RSA the whole structure (exactly 4,096 bits, exponent
 * 65,537).
 */
export function readPublicKey(reader: DerReader): { readonly type: KeyType; readonly bytes: Uint8Array } {
  const whole = reader.read(Tag.Sequence);
  const spki = new DerReader(whole.content);
  const id = toHex(spki.read(Tag.Sequence).raw);
  const type = Object.hasOwn(KEYS, id) ? KEYS[id] : undefined;
  if (!type) throw new DerError("a key on P-256 or P-384, or an RSA key", 0);
  const bits = readWholeBits(spki);
  spki.end();
  if (type === "RSA-4096") {
    const outer = new DerReader(bits);
    const rsa = outer.enter(Tag.Sequence);
    outer.end();
    const modulus = readUnsigned(rsa, 512);
    const exponent = readUnsigned(rsa, 4);
    rsa.end();
    if (modulus.length !== 512 || (modulus[0] ?? 0) < 0x80 || toHex(exponent) !== "0x010001") {
      throw new DerError("an RSA key of 4,096 bits with exponent 65,537", 0);
    }
    return { type, bytes: whole.raw };
  }
  if (bits.length !== (type === "P-256" ? 65 : 97) || bits[0] !== 4) {
    throw new DerError("an uncompressed point", 0);
  }
  return { type, bytes: bits.subarray(1) };
}
