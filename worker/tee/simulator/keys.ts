import { createECDH, createHash, createPrivateKey, sign, type KeyObject } from "node:crypto";

const CURVES = {
  "P-256": { openssl: "prime256v1", hash: "sha256", size: 32 },
  "P-384": { openssl: "secp384r1", hash: "sha384", size: 48 },
} as const;

/**
 * A key that follows from a secret and a name, so that every process that holds the PKI file makes the same platform
 * without asking another.
 */
export function deriveKey(secret: Uint8Array, name: string, crv: keyof typeof CURVES = "P-256"): KeyObject {
  const { openssl, hash, size } = CURVES[crv];
  const ecdh = createECDH(openssl);
  for (let attempt = 0; ; attempt++) {
    const d = createHash(hash).update(secret).update(`/${name}/${attempt}`).digest();
    try {
      ecdh.setPrivateKey(d);
    } catch {
      continue; // Not a scalar of the curve; once in 2^32.
    }
    const point = ecdh.getPublicKey();
    const coordinate = (at: number): string => point.subarray(at, at + size).toString("base64url");
    return createPrivateKey({
      format: "jwk",
      key: { kty: "EC", crv, d: d.toString("base64url"), x: coordinate(1), y: coordinate(1 + size) },
    });
  }
}

/** x‖y, 64 or 96 bytes. */
export function publicPoint(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: "jwk" });
  if (typeof x !== "string" || typeof y !== "string")
    throw new TypeError("a key on a curve has two coordinates");
  return Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
}

/** ECDSA as quotes, reports and signed JSON carry it: r‖s, with the hash of the curve's size. */
export function signRaw(key: KeyObject, message: Uint8Array): Buffer {
  const isP384 = key.asymmetricKeyDetails?.namedCurve === "secp384r1";
  return sign(isP384 ? "sha384" : "sha256", message, { key, dsaEncoding: "ieee-p1363" });
}

/** First `size` bytes of a hash over a label: names that look random and never change. */
export const labelled = (label: string, size = 32): Buffer =>
  createHash("sha384").update(label).digest().subarray(0, size);
