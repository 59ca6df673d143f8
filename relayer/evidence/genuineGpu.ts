import { nodeCrypto } from "../../protocol/crypto/node.ts";
import type { Certificate } from "../../protocol/der/certificate.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { verifyOcsp, type OcspVerification } from "../../protocol/evidence/gpu/ocsp/verifyOcsp.ts";
import { verifyRim, type RimVerification } from "../../protocol/evidence/gpu/rim/verifyRim.ts";
import { EvidenceError, type TrustedRoot } from "../../protocol/evidence/index.ts";

/** What a manifest is published by. */
export interface RimFamily {
  readonly id: string;
  /** Driver or VBIOS version that its id stands for. */
  readonly version: string;
}

/** One certificate, by who issued it: both verified up to a trusted root. */
export interface CertificateFamily {
  readonly issuer: Certificate;
  /** 0x hex. */
  readonly serial: string;
}

/** A manifest as it was served, once it is known to be the vendor's. */
export interface HeldRim {
  readonly xml: string;
  readonly verified: RimVerification;
}

/** Seconds that the service's clock may run ahead of ours. */
const LEAD_SECONDS = 60;

/**
 * Checks that a manifest is signed under a trusted root, and that it is the one of this version, before it may displace
 * anything. Whether its signer was revoked the verifier asks at every use.
 * @throws CharterError `collateral/malformed`, `collateral/not-genuine`.
 */
export async function genuineRim(
  xml: string,
  { id, version }: RimFamily,
  roots: readonly TrustedRoot[],
  at: number,
): Promise<HeldRim> {
  const verified = await judged(id, () => verifyRim(xml, { at, crypto: nodeCrypto, roots }));
  if (verified.version !== version.toUpperCase()) {
    throw new CharterError("collateral/not-genuine", "the manifest must be that of the version asked for", {
      id,
      expected: version,
      actual: verified.version,
    });
  }
  return { xml, verified };
}

/**
 * The same for an OCSP response; what it says of the certificate is not judged. `nonce`: the one that was sent, where the
 * response was just asked for.
 * @throws CharterError `collateral/malformed`, `collateral/not-genuine`, `collateral/refused`: the service does not answer
 * for this certificate.
 */
export const genuineOcsp = (
  response: Uint8Array,
  { issuer, serial }: CertificateFamily,
  at: number,
  nonce?: Uint8Array,
): Promise<OcspVerification> =>
  judged(serial, () =>
    verifyOcsp(response, {
      at,
      crypto: nodeCrypto,
      issuer,
      serials: [serial],
      leadSeconds: LEAD_SECONDS,
      ...(nonce === undefined ? {} : { nonce }),
    }),
  );

const FORMATS = new Set(["ocsp-format", "ocsp-certificates", "rim-format"]);

/** What is wrong with collateral is nothing that evidence is to blame for. */
async function judged<T>(what: string, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch (cause) {
    if (!(cause instanceof EvidenceError)) throw cause;
    const details = { what, cause: cause.code, message: cause.message, ...cause.details };
    if (cause.check === "ocsp-status") {
      throw new CharterError(
        "collateral/refused",
        "the OCSP service must answer for a certificate",
        details,
        {
          cause,
        },
      );
    }
    if (FORMATS.has(cause.check)) {
      throw new CharterError("collateral/malformed", "NVIDIA's services must answer in their form", details, {
        cause,
      });
    }
    throw new CharterError(
      "collateral/not-genuine",
      "collateral must be what was asked for, signed under a trusted root",
      details,
      { cause },
    );
  }
}
