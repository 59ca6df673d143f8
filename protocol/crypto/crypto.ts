import type { Keccak256 } from "./keccak.ts";

/** Curve or padding together with its hash. Evidence knows no other combination, so none can be asked for. */
export type SignatureScheme = "p256-sha256" | "p384-sha384" | "rsa-pss-sha384";

/** The curves, by scheme: bytes of one coordinate, and the names that key formats use. */
export const CURVES = {
  "p256-sha256": { size: 32, curve: "P-256", hash: "SHA-256" },
  "p384-sha384": { size: 48, curve: "P-384", hash: "SHA-384" },
} as const;

/**
 * The seam between verification and the machine's cryptography: node:crypto in services, WebCrypto in browsers.
 * Answers are booleans and digests; a key that is not on the curve is an invalid signature, never an exception.
 */
export interface Crypto {
  /**
   * ECDSA: `publicKey` is x‖y, `signature` r‖s; high s is accepted, as Intel's quotes may have it. RSA-PSS (MGF1 with
   * the same hash, salt as long as the hash): `publicKey` is the SubjectPublicKeyInfo in DER.
   */
  verify(
    scheme: SignatureScheme,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>;
  /** SHA-1 only where a format names keys by it (RFC 6960 §4.2.1): nothing is trusted by such a name. */
  digest(algorithm: "SHA-1" | "SHA-256" | "SHA-384", bytes: Uint8Array): Promise<Uint8Array>;
  /** Where a service has one that is faster than `keccak256` in JavaScript, which is used otherwise. */
  readonly keccak256?: Keccak256;
}

/** A key pair for one agreement, raw X25519 (RFC 7748) on the outside. */
export interface AgreementKey {
  readonly publicKey: Uint8Array;
  /** The shared secret with a peer's public key, or null where that key is of low order: it would be no secret. */
  agree(peer: Uint8Array): Uint8Array | null;
}

/** What a session's channel is made of. Synchronous: it stands between every two messages. */
export interface ChannelCrypto {
  newAgreementKey(): AgreementKey;
  /** HKDF-SHA256 (RFC 5869). */
  deriveKey(secret: Uint8Array, salt: Uint8Array, info: string, bytes: number): Uint8Array;
  /** The tag (RFC 2104) of the parts, one after another. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** In a time that does not depend on where they differ. */
  areEqual(a: Uint8Array, b: Uint8Array): boolean;
}
