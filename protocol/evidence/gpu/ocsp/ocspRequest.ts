import type { Crypto } from "../../../crypto/crypto.ts";
import type { Certificate } from "../../../der/certificate.ts";
import { Tag } from "../../../der/DerReader.ts";
import { writeDer } from "../../../der/writeDer.ts";
import { concatBytes } from "../../../words/bytes.ts";
import { fromHex } from "../../../words/hex.ts";
import { issuerIdOf } from "./certId.ts";

/** Certificates that one request may ask for. NVIDIA's own tools ask for one at a time. */
const MAX_SERIALS = 16;
/** Bytes of a nonce that every service takes (RFC 9654 §2.1). */
const MAX_NONCE = 32;
/** 2.16.840.1.101.3.4.2.2, SHA-384. */
const SHA384_ID = fromHex("0x0609608648016503040202");
/** 1.3.6.1.5.5.7.48.1.2, id-pkix-ocsp-nonce. */
const NONCE_ID = fromHex("0x06092b0601050507300102");

/**
 * An OCSPRequest in DER (RFC 6960 §4.1) for certificates of one issuer, by serial (0x hex), with the caller's random
 * nonce (RFC 9654) of 1 to 32 bytes.
 */
export async function ocspRequest(
  issuer: Certificate,
  serials: readonly string[],
  nonce: Uint8Array,
  crypto: Crypto,
): Promise<Uint8Array> {
  if (
    serials.length === 0 ||
    serials.length > MAX_SERIALS ||
    nonce.length === 0 ||
    nonce.length > MAX_NONCE
  ) {
    throw new RangeError(`a request has 1 to ${MAX_SERIALS} serials and a nonce of 1 to ${MAX_NONCE} bytes`);
  }
  const { nameHash, keyHash } = await issuerIdOf(issuer, crypto);
  const requests = serials.map((serial) =>
    sequence(
      sequence(
        sequence(SHA384_ID),
        octets(fromHex(nameHash)),
        octets(fromHex(keyHash)),
        unsigned(fromHex(serial)),
      ),
    ),
  );
  const extension = sequence(NONCE_ID, octets(octets(nonce)));
  return sequence(sequence(sequence(...requests), writeDer(0xa2, sequence(extension))));
}

const sequence = (...items: readonly Uint8Array[]): Uint8Array => writeDer(Tag.Sequence, ...items);
const octets = (bytes: Uint8Array): Uint8Array => writeDer(Tag.OctetString, bytes);

/** INTEGER of a serial as certificates have it: without zeros in front, and never negative. */
const unsigned = (bytes: Uint8Array): Uint8Array =>
  writeDer(Tag.Integer, (bytes[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), bytes) : bytes);
