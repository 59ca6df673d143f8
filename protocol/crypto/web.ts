import { CURVES, type Crypto, type SignatureScheme } from "./crypto.ts";

/** `Crypto` on WebCrypto (browsers, and every other runtime that has it). */
export const webCrypto: Crypto = {
  async verify(scheme, publicKey, message, signature) {
    if (scheme !== "rsa-pss-sha384" && signature.length !== 2 * CURVES[scheme].size) return false;
    try {
      const key = await importKey(scheme, publicKey);
      const parameters =
        scheme === "rsa-pss-sha384"
          ? { name: "RSA-PSS", saltLength: 48 }
          : { name: "ECDSA", hash: CURVES[scheme].hash };
      return await globalThis.crypto.subtle.verify(parameters, key, signature.slice(), message.slice());
    } catch {
      // importKey rejects what is no key of the scheme: wrong length, not on the curve, not RSA.
      return false;
    }
  },
  async digest(algorithm, bytes) {
    return new Uint8Array(await globalThis.crypto.subtle.digest(algorithm, bytes.slice()));
  },
};

function importKey(scheme: SignatureScheme, publicKey: Uint8Array): Promise<CryptoKey> {
  const { subtle } = globalThis.crypto;
  if (scheme === "rsa-pss-sha384") {
    const algorithm = { name: "RSA-PSS", hash: "SHA-384" };
    return subtle.importKey("spki", publicKey.slice(), algorithm, false, ["verify"]);
  }
  const { size, curve } = CURVES[scheme];
  if (publicKey.length !== 2 * size) return Promise.reject(new RangeError(`a ${curve} key is x and y`));
  const point = new Uint8Array(1 + 2 * size);
  point[0] = 4;
  point.set(publicKey, 1);
  return subtle.importKey("raw", point, { name: "ECDSA", namedCurve: curve }, false, ["verify"]);
}
