import {
  constants,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  timingSafeEqual,
  verify,
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
    const { size } = CURVES[scheme];
    if (publicKey.length !== 2 * size || signature.length !== 2 * size) return Promise.resolve(false);
    const digest = scheme === "p256-sha256" ? "sha256" : "sha384";
    try {
      return Promise.resolve(verify(digest, message, points.get(scheme, publicKey), derOf(signature)));
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
  hmacSha256,
  areEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

const BLOCK = 64;
const INNER = 0x36;
const OUTER = 0x5c;
/** Written anew for each tag: nothing else runs in between. Longer messages get a block of their own. */
const innerBlock = new Uint8Array(4_096);
const outerBlock = new Uint8Array(BLOCK + 32);

/**
 * H(K ⊕ opad ‖ H(K ⊕ ipad ‖ parts)) (RFC 2104 §2). From plain bytes Node 24's `createHmac` takes five times as long, and
 * `KeyObject`s in their place would take ten thousand sessions twenty mebibytes.
 */
function hmacSha256(secret: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const key = secret.length > BLOCK ? hash("sha256", secret, "buffer") : secret;
  const length = parts.reduce((sum, part) => sum + part.length, BLOCK);
  const inner = length > innerBlock.length ? new Uint8Array(length) : innerBlock;
  inner.fill(INNER, 0, BLOCK);
  outerBlock.fill(OUTER, 0, BLOCK);
  for (let i = 0; i < key.length; i++) {
    inner[i] = INNER ^ (key[i] as number);
    outerBlock[i] = OUTER ^ (key[i] as number);
  }
  let at = BLOCK;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
  outerBlock.set(hash("sha256", inner.subarray(0, length), "buffer"), BLOCK);
  return hash("sha256", outerBlock, "buffer");
}

/**
 * r‖s → Ecdsa-Sig-Value (RFC 3279 §2.2.3). Node takes r‖s too, but only with options around the key, which cost it a third
 * of a verification to look through. P-384 is the longest here: no length takes more than one byte.
 */
function derOf(signature: Uint8Array): Uint8Array {
  const size = signature.length / 2;
  const der = new Uint8Array(2 + 2 * (3 + size));
  let at = 2;
  for (const end of [size, 2 * size]) {
    let from = end - size;
    while (from < end - 1 && signature[from] === 0) from++;
    // Its first bit would be the sign.
    const padding = (signature[from] as number) >= 0x80 ? 1 : 0;
    der.set([0x02, padding + end - from], at);
    at += 2 + padding;
    der.set(signature.subarray(from, end), at);
    at += end - from;
  }
  der.set([0x30, at - 2]);
  return der.subarray(0, at);
}

type Curve = keyof typeof CURVES;

/** Keys that were used last: to make one costs half of what it costs to verify with it, and platforms come again. */
class PointKeys {
  readonly #keys = new Map<string, KeyObject>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws for a point that is not on the curve. */
  get(scheme: Curve, point: Uint8Array): KeyObject {
    const text = Buffer.from(point.buffer, point.byteOffset, point.length);
    const name = text.toString("latin1"); // Its length says of which curve it is.
    const known = this.#keys.get(name);
    if (known !== undefined) {
      this.#keys.delete(name);
      this.#keys.set(name, known);
      return known;
    }
    const { size, curve } = CURVES[scheme];
    const [x, y] = [text.toString("base64url", 0, size), text.toString("base64url", size)];
    // A JSON web key is read in half of the time that SubjectPublicKeyInfo takes.
    const made = createPublicKey({ key: { kty: "EC", crv: curve, x, y }, format: "jwk" });
    this.#keys.set(name, made);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > this.#most && oldest.done !== true) this.#keys.delete(oldest.value);
    return made;
  }
}

const points = new PointKeys(1_024);

/** Null for anything that is not an RSA key. */
function rsaKey(spki: Uint8Array): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}
