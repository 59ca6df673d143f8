import { constants, createPublicKey, hash, verify, type KeyObject } from "node:crypto";

import { CURVES, type Crypto, type SignatureScheme } from "./crypto.ts";

/** SubjectPublicKeyInfo of an uncompressed point, up to the point itself (RFC 5480 §2). */
const SPKI_PREFIX = {
  "p256-sha256": Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex"),
  "p384-sha384": Buffer.from("3076301006072a8648ce3d020106052b8104002203620004", "hex"),
} as const;

/** `Crypto` on node:crypto. */
export const nodeCrypto: Crypto = {
  verify(scheme, publicKey, message, signature) {
    const key = importKey(scheme, publicKey);
    if (!key) return Promise.resolve(false);
    if (scheme === "rsa-pss-sha384") {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return Promise.resolve(verify("sha384", message, { key, padding, saltLength: 48 }, signature));
    }
    if (signature.length !== 2 * CURVES[scheme].size) return Promise.resolve(false);
    const digest = scheme === "p256-sha256" ? "sha256" : "sha384";
    return Promise.resolve(verify(digest, message, { key, dsaEncoding: "ieee-p1363" }, signature));
  },
  digest(algorithm, bytes) {
    return Promise.resolve(hash(algorithm === "SHA-256" ? "sha256" : "sha384", bytes, "buffer"));
  },
};

/** Null for anything that is not a key of that scheme: OpenSSL throws on those. */
function importKey(scheme: SignatureScheme, publicKey: Uint8Array): KeyObject | null {
  const isRsa = scheme === "rsa-pss-sha384";
  if (!isRsa && publicKey.length !== 2 * CURVES[scheme].size) return null;
  try {
    const der = isRsa ? Buffer.from(publicKey) : Buffer.concat([SPKI_PREFIX[scheme], publicKey]);
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return !isRsa || key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}
