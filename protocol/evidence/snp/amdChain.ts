import { parseCertificate, type Certificate } from "../../der/certificate.ts";
import { commonName } from "../../der/name.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { fromHex } from "../../words/hex.ts";
import { requireLinked } from "../chain/chain.ts";
import type { SnpProduct } from "./amdRoots.ts";
import type { SnpCpuId, SnpSigner } from "./parseReport.ts";

/** DER. The second is the ASK above a VCEK, the ASVK above a VLEK. */
export interface SnpCertificates {
  readonly leaf: Uint8Array;
  readonly ask: Uint8Array;
  readonly ark: Uint8Array;
}

export type AmdChain = readonly [leaf: Certificate, ask: Certificate, ark: Certificate];

/** Leaf with a key on P-384, two CAs with RSA-4096; all signed with RSA-PSS: AMD has no other. */
export function parseAmdChain({ leaf, ask, ark }: SnpCertificates): AmdChain {
  const chain = [parseCertificate(leaf), parseCertificate(ask), parseCertificate(ark)] as const;
  requireLinked(chain, 3);
  const [, , root] = chain;
  if (root.issuer !== root.subject) throw malformed("a root that issued itself", 2);
  chain.forEach(({ keyType, scheme }, i) => {
    const expected = i === 0 ? "P-384" : "RSA-4096";
    if (keyType !== expected || scheme !== "rsa-pss-sha384") {
      throw malformed(`a key of type ${expected}, signed with RSA-PSS`, i);
    }
  });
  return chain;
}

const malformed = (what: string, i: number): CharterError =>
  new CharterError("chain/malformed", `certificate ${i}: expected ${what}`, { i });

/** Names that AMD's CAs have for this product and kind of key: `SEV-Milan` or `SEV-VLEK-Milan`, and `ARK-Milan`. */
export const expectedNames = (product: SnpProduct, kind: SnpSigner): readonly [ask: string, ark: string] => [
  kind === "VCEK" ? `SEV-${product}` : `SEV-VLEK-${product}`,
  `ARK-${product}`,
];

/** The common names of ASK and ARK. @throws DerError. */
export const namesOf = ([, ask, ark]: AmdChain): readonly [string | null, string | null] => [
  commonName(fromHex(ask.subject)),
  commonName(fromHex(ark.subject)),
];

/**
 * Products by CPUID (AMD's processor programming references): family 19h has Milan in models 00h-0Fh, Genoa in 10h-1Fh,
 * and Bergamo and Siena, which are Genoa's line, in A0h-AFh; family 1Ah has Turin in 00h-1Fh.
 */
export function productOf({ family, model }: SnpCpuId): SnpProduct | null {
  const block = model >> 4;
  if (family === 0x19 && block === 0) return "Milan";
  if (family === 0x19 && (block === 1 || block === 0xa)) return "Genoa";
  return family === 0x1a && block <= 1 ? "Turin" : null;
}
