import type { Crypto } from "../../../crypto/crypto.ts";
import type { Certificate } from "../../../der/certificate.ts";
import { DerError, Tag, type DerReader } from "../../../der/DerReader.ts";
import { readObjectId, readUnsigned } from "../../../der/values.ts";
import { concatBytes } from "../../../words/bytes.ts";
import { fromHex, toHex, type Hex } from "../../../words/hex.ts";

/** Whose certificates are meant: hashes of the issuer's name and key (RFC 6960 §4.1.1), with SHA-384. */
export interface IssuerId {
  readonly nameHash: Hex;
  readonly keyHash: Hex;
}

/** One certificate: by its issuer, and its serial in the form of `Certificate.serial`. */
export interface CertId extends IssuerId {
  readonly serial: string;
}

const SHA384 = "2.16.840.1.101.3.4.2.2";
const NULL = 0x05;

/** Value of the BIT STRING of a key on a curve, without tag, length and unused bits: what OCSP hashes. */
export const keyBits = ({ publicKey }: Certificate): Uint8Array => concatBytes(Uint8Array.of(4), publicKey);

export async function issuerIdOf(issuer: Certificate, crypto: Crypto): Promise<IssuerId> {
  const [name, key] = await Promise.all([
    crypto.digest("SHA-384", fromHex(issuer.subject)),
    crypto.digest("SHA-384", keyBits(issuer)),
  ]);
  return { nameHash: toHex(name), keyHash: toHex(key) };
}

/** Reads a CertID. Its hash must be SHA-384, as it was asked with; parameters are absent or NULL. @throws DerError. */
export function readCertId(reader: DerReader): CertId {
  const id = reader.enter(Tag.Sequence);
  const algorithm = id.enter(Tag.Sequence);
  if (readObjectId(algorithm) !== SHA384) throw new DerError("a certificate's id with SHA-384", 0);
  const parameters = algorithm.readOptional(NULL);
  if (parameters && parameters.content.length !== 0) throw new DerError("no parameters of SHA-384", 0);
  algorithm.end();
  const [nameHash, keyHash] = [id.read(Tag.OctetString), id.read(Tag.OctetString)];
  const serial = toHex(readUnsigned(id, 20));
  id.end();
  return { nameHash: toHex(nameHash.content), keyHash: toHex(keyHash.content), serial };
}
