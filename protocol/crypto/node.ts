import { createPublicKey, hash, verify, type KeyObject } from "node:crypto";

import type { Crypto } from "./crypto.ts";

/** SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point itself (RFC 5480 §2). */
const SPKI_PREFIX = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** `Crypto` on node:crypto. */
export const nodeCrypto: Crypto = {
  verifyP256(publicKey, message, signature) {
    const key = importKey(publicKey);
    if (!key || signature.length !== 64) return Promise.resolve(false);
    return Promise.resolve(verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature));
  },
  digest(algorithm, bytes) {
    return Promise.resolve(hash(algorithm === "SHA-256" ? "sha256" : "sha384", bytes, "buffer"));
  },
};

/** Null for anything that is not a point of the curve: OpenSSL throws on those. */
function importKey(publicKey: Uint8Array): KeyObject | null {
  if (publicKey.length !== 64) return null;
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  } catch {
    return null;
  }
}
