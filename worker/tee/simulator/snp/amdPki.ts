import { generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

import type { SnpProduct } from "../../../../protocol/evidence/snp/amdRoots.ts";
import { issueCertificate, toPem, type Issuer } from "../certificate.ts";
import { serialOf } from "../pki.ts";

/** RSA-4096. Keys of this kind do not follow from a secret, and take a second or two each to make. */
export interface AmdKeys {
  readonly ark: KeyObject;
  /** Of ASK and ASVK both: two names are enough for a simulation. */
  readonly ask: KeyObject;
}

/** AMD-shaped PKI of one product under a test root. */
export interface AmdPki {
  readonly product: SnpProduct;
  readonly secret: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly ark: Issuer;
  readonly ask: Issuer;
  readonly asvk: Issuer;
  /** Serials of ASK and ASVK, for CRLs. */
  readonly askSerial: Uint8Array;
  readonly asvkSerial: Uint8Array;
  /** DER. */
  readonly certificates: Readonly<Record<"ark" | "ask" | "asvk", Uint8Array>>;
  /** PEM of the ARK: what verifiers are configured with. */
  readonly root: string;
}

export interface AmdPkiOptions {
  /** Unix seconds. */
  readonly notBefore: number;
  /** Default 25 years, as AMD's. */
  readonly validitySeconds?: number;
  readonly product?: SnpProduct;
  /** Default: new ones. */
  readonly keys?: AmdKeys;
  readonly secret?: Uint8Array;
}

const TWENTY_FIVE_YEARS = 25 * 365 * 86_400;

export function makeAmdKeys(): AmdKeys {
  const make = (): KeyObject => generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey;
  return { ark: make(), ask: make() };
}

/** Makes the PKI: names and serials follow from product and secret. */
export function createAmdPki(options: AmdPkiOptions): AmdPki {
  const { notBefore, validitySeconds = TWENTY_FIVE_YEARS, product = "Milan" } = options;
  const { keys = makeAmdKeys(), secret = randomBytes(32) } = options;
  const notAfter = notBefore + validitySeconds;
  const ark = { name: `ARK-${product}`, key: keys.ark };
  const ask = { name: `SEV-${product}`, key: keys.ask };
  const asvk = { name: `SEV-VLEK-${product}`, key: keys.ask };
  const issue = ({ name, key }: Issuer, ca: number): Uint8Array =>
    Uint8Array.from(
      issueCertificate({
        issuer: ark,
        subject: name,
        key,
        serial: serialOf(secret, name),
        notBefore,
        notAfter,
        ca,
      }),
    );
  const certificates = { ark: issue(ark, 1), ask: issue(ask, 0), asvk: issue(asvk, 0) };
  return {
    product,
    secret,
    notBefore,
    notAfter,
    ark,
    ask,
    asvk,
    askSerial: serialOf(secret, ask.name),
    asvkSerial: serialOf(secret, asvk.name),
    certificates,
    root: toPem(certificates.ark),
  };
}
