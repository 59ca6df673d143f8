import { createECDH, createHash, createPrivateKey, sign, type KeyObject } from "node:crypto";

/**
 * A P-256 key that follows from a secret and a name, so that every process that holds the PKI file makes the same
 * platform without asking another.
 */
export function deriveKey(secret: Uint8Array, name: string): KeyObject {
  const ecdh = createECDH("prime256v1");
  for (let attempt = 0; ; attempt++) {
    const d = createHash("sha256").update(secret).update(`/${name}/${attempt}`).digest();
    try {
      ecdh.setPrivateKey(d);
    } catch {
      continue; // Not a scalar of the curve; once in 2^32.
    }
    const point = ecdh.getPublicKey();
    const coordinate = (at: number): string => point.subarray(at, at + 32).toString("base64url");
    return createPrivateKey({
      format: "jwk",
      key: { kty: "EC", crv: "P-256", d: d.toString("base64url"), x: coordinate(1), y: coordinate(33) },
    });
  }
}

/** x‖y, 64 bytes. */
export function publicPoint(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: "jwk" });
  if (typeof x !== "string" || typeof y !== "string") throw new TypeError("a P-256 key has two coordinates");
  return Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
}

/** ECDSA-SHA256 as quotes and signed JSON carry it: r‖s, 64 bytes. */
export const signRaw = (key: KeyObject, message: Uint8Array): Buffer =>
  sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });

/** First `size` bytes of a hash over a label: names that look random and never change. */
export const labelled = (label: string, size = 32): Buffer =>
  createHash("sha384").update(label).digest().subarray(0, size);
