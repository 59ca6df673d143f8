import { randomBytes, type KeyObject } from "node:crypto";

import { issueCertificate, toPem, type Issuer } from "../certificate.ts";
import { deriveKey } from "../keys.ts";
import { serialOf } from "../pki.ts";

/** AWS-shaped PKI on P-384 under a test root: region, zone, instance, and an enclave's certificate below them. */
export interface NitroPki {
  readonly secret: Uint8Array;
  readonly notBefore: number;
  /** PEM. */
  readonly root: string;
  /** DER, the root first, as documents carry it. */
  readonly cabundle: readonly Uint8Array[];
  readonly instance: Issuer;
}

const DAY = 86_400;
const THREE_HOURS = 3 * 3_600;

/** Makes the PKI: all of it follows from the secret, signatures aside. */
export function createNitroPki(options: {
  /** Unix seconds. */
  readonly notBefore: number;
  readonly secret?: Uint8Array;
}): NitroPki {
  const { notBefore, secret = randomBytes(32) } = options;
  const authority = (name: string): Issuer => ({ name, key: deriveKey(secret, name, "P-384") });
  const issue = (issuer: Issuer, { name, key }: Issuer, ca: number, seconds: number): Buffer =>
    issueCertificate({
      issuer,
      subject: name,
      key,
      serial: serialOf(secret, name),
      notBefore,
      notAfter: notBefore + seconds,
      ca,
    });
  const root = authority("aws.nitro-enclaves");
  const region = authority("d3c9df74fdeb2ba5.us-east-1.aws.nitro-enclaves");
  const zone = authority("db5d852a812a3d1e.zonal.us-east-1.aws.nitro-enclaves");
  const instance = authority("i-0827e799ec9232d44.us-east-1.aws.nitro-enclaves");
  const rootDer = issue(root, root, 3, 30 * 365 * DAY);
  return {
    secret,
    notBefore,
    root: toPem(rootDer),
    cabundle: [
      rootDer,
      issue(root, region, 2, 20 * DAY),
      issue(region, zone, 1, 6 * DAY),
      issue(zone, instance, 0, DAY),
    ],
    instance,
  };
}

/** An enclave's certificate, three hours from `from`. */
export function enclaveCertificate(
  { secret, instance }: NitroPki,
  { key, from, ca }: { readonly key: KeyObject; readonly from: number; readonly ca?: number },
): Buffer {
  return issueCertificate({
    issuer: instance,
    subject: "i-0827e799ec9232d44-enc019b55a68bd2ed4b.us-east-1.aws",
    key,
    serial: serialOf(secret, "enclave"),
    notBefore: from,
    notAfter: from + THREE_HOURS,
    ...(ca === undefined ? {} : { ca }),
  });
}
