import { constants, sign, type KeyObject } from "node:crypto";

import * as der from "./der.ts";

const sha384 = der.sequence(der.objectId("2.16.840.1.101.3.4.2.2"), der.nothing());

/** AlgorithmIdentifier of what `signDer` makes with this key. */
const ALGORITHMS = {
  prime256v1: der.sequence(der.objectId("1.2.840.10045.4.3.2")), // ecdsa-with-SHA256
  secp384r1: der.sequence(der.objectId("1.2.840.10045.4.3.3")), // ecdsa-with-SHA384
  /** RSASSA-PSS with SHA-384; the trailer field is written out, as AMD does. */
  rsa: der.sequence(
    der.objectId("1.2.840.113549.1.1.10"),
    der.sequence(
      der.tagged(0, sha384),
      der.tagged(1, der.sequence(der.objectId("1.2.840.113549.1.1.8"), sha384)),
      der.tagged(2, der.integer(48)),
      der.tagged(3, der.integer(1)),
    ),
  ),
} as const;

function kindOf(key: KeyObject): keyof typeof ALGORITHMS {
  const name = key.asymmetricKeyType === "rsa" ? "rsa" : key.asymmetricKeyDetails?.namedCurve;
  if (name !== "rsa" && name !== "prime256v1" && name !== "secp384r1") {
    throw new TypeError("the simulated vendors sign with P-256, P-384 and RSA keys");
  }
  return name;
}

export const signatureAlgorithm = (key: KeyObject): der.Der => ALGORITHMS[kindOf(key)];

/** Signs as certificates carry it: a DER sequence of r and s, or the RSA-PSS block. */
export function signDer(key: KeyObject, message: Uint8Array): Buffer {
  const kind = kindOf(key);
  if (kind === "rsa") {
    return sign("sha384", message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 });
  }
  return sign(kind === "prime256v1" ? "sha256" : "sha384", message, { key, dsaEncoding: "der" });
}
