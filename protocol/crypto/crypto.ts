/**
 * The seam between verification and the machine's cryptography: node:crypto in services, WebCrypto in browsers.
 * Answers are booleans and digests; a key that is not on the curve is an invalid signature, never an exception.
 */
export interface Crypto {
  /**
   * ECDSA over P-256 with SHA-256. `publicKey` is x‖y (64 bytes), `signature` r‖s (64 bytes). High s is accepted, as
   * Intel's quotes may have it.
   */
  verifyP256(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  digest(algorithm: "SHA-256" | "SHA-384", bytes: Uint8Array): Promise<Uint8Array>;
}
