import type { Crypto } from "./crypto.ts";

/** `Crypto` on WebCrypto (browsers, and every other runtime that has it). */
export const webCrypto: Crypto = {
  async verifyP256(publicKey, message, signature) {
    if (publicKey.length !== 64 || signature.length !== 64) return false;
    const point = new Uint8Array(65);
    point[0] = 4;
    point.set(publicKey, 1);
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    try {
      const key = await globalThis.crypto.subtle.importKey("raw", point, algorithm, false, ["verify"]);
      return await globalThis.crypto.subtle.verify(
        { name: "ECDSA", hash: "SHA-256" },
        key,
        signature.slice(),
        message.slice(),
      );
    } catch {
      // importKey rejects a point that is not on the curve.
      return false;
    }
  },
  async digest(algorithm, bytes) {
    return new Uint8Array(await globalThis.crypto.subtle.digest(algorithm, bytes.slice()));
  },
};
