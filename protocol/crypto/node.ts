import {
  constants,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  timingSafeEqual,
  verify,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";

import { CURVES, type ChannelCrypto, type Crypto } from "./crypto.ts";

const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384" } as const;

/** `Crypto` on node:crypto. */
export const nodeCrypto: Crypto = {
  verify(scheme, publicKey, message, signature) {
    if (scheme === "rsa-pss-sha384") {
      const key = rsaKey(publicKey);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return Promise.resolve(
        key !== null && verify("sha384", message, { key, padding, saltLength: 48 }, signature),
      );
    }
    const { size, curve } = CURVES[scheme];
    if (publicKey.length !== 2 * size || signature.length !== 2 * size) return Promise.resolve(false);
    const digest = scheme === "p256-sha256" ? "sha256" : "sha384";
    // A JSON web key costs half of what a KeyObject of SubjectPublicKeyInfo costs to make and use once.
    const key = pointKey(publicKey, size, curve);
    try {
      return Promise.resolve(
        verify(digest, message, { key, format: "jwk", dsaEncoding: "ieee-p1363" }, signature),
      );
    } catch {
      // OpenSSL throws on a point that is not on the curve.
      return Promise.resolve(false);
    }
  },
  digest(algorithm, bytes) {
    return Promise.resolve(hash(HASHES[algorithm], bytes, "buffer"));
  },
};

/** `ChannelCrypto` on node:crypto. */
export const nodeChannelCrypto: ChannelCrypto = {
  newAgreementKey() {
    const { privateKey, publicKey } = generateKeyPairSync("x25519");
    const { x } = publicKey.export({ format: "jwk" });
    return {
      publicKey: Buffer.from(x ?? "", "base64url"),
      agree(peer) {
        if (peer.length !== 32) return null;
        const jwk = { kty: "OKP", crv: "X25519", x: Buffer.from(peer).toString("base64url") };
        try {
          return diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: "jwk" }) });
        } catch {
          // OpenSSL refuses a shared secret of zeros (RFC 7748 §6.1).
          return null;
        }
      },
    };
  },
  deriveKey: (secret, salt, info, bytes) => new Uint8Array(hkdfSync("sha256", secret, salt, info, bytes)),
  hmacSha256(key, ...parts) {
    const mac = createHmac("sha256", key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },
  areEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

function pointKey(point: Uint8Array, size: number, crv: string): JsonWebKey {
  const text = Buffer.from(point.buffer, point.byteOffset, point.length);
  return {
    kty: "EC",
    crv,
    x: text.toString("base64url", 0, size),
    y: text.toString("base64url", size),
  };
}

/** Null for anything that is not an RSA key. */
function rsaKey(spki: Uint8Array): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}
