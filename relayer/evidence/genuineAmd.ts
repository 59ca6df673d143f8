import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { parseCertificate, type Certificate } from "../../protocol/der/certificate.ts";
import { parseCrl } from "../../protocol/der/crl.ts";
import { commonName } from "../../protocol/der/name.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { ChainSignatures, rootOf, windowOf } from "../../protocol/evidence/chain/chain.ts";
import type { TrustedRoot } from "../../protocol/evidence/index.ts";
import { expectedNames, parseAmdChain } from "../../protocol/evidence/snp/amdChain.ts";
import { readLeafExtensions } from "../../protocol/evidence/snp/leafExtensions.ts";
import { isSameTcb } from "../../protocol/evidence/snp/snpTcb.ts";
import { fromHex, toHex } from "../../protocol/words/hex.ts";
import type { AmdChip, AmdIssuerFamily } from "./amdFamily.ts";
import type { AmdIssuers } from "./kdsClient.ts";

/** CAs and their revocation list, as they were served, once they are known to be the vendor's. */
export interface HeldIssuers extends AmdIssuers {
  /** Unix seconds. */
  readonly crlIssued: number;
  readonly validUntil: number;
}

/** The same of a VCEK. */
export interface HeldVcek {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly validUntil: number;
}

/**
 * Checks that a trusted ARK signed itself, the CA of this family, and the revocation list, before they may displace
 * anything. Whether they are current, and revoke each other, the verifier asks at every use.
 * @throws CharterError `collateral/malformed`, `collateral/not-genuine`.
 */
export async function genuineIssuers(
  issuers: AmdIssuers,
  { signer, product }: AmdIssuerFamily,
  roots: readonly TrustedRoot[],
): Promise<HeldIssuers> {
  const { chain, names, crl } = parsed(() => {
    const chain = [parseCertificate(issuers.ask), parseCertificate(issuers.ark)] as const;
    return { chain, names: chain.map(nameOf), crl: parseCrl(issuers.crl) };
  });
  const [ask, ark] = chain;
  const [askName, arkName] = expectedNames(product, signer);
  requireGenuine({
    isRooted: rootOf(chain, roots) !== undefined,
    isNamed: names[0] === askName && names[1] === arkName,
    isLinked: ask.issuer === ark.subject && ark.issuer === ark.subject,
    areCas: chain.every((one) => one.isCa && one.maySignCertificates && one.keyType === "RSA-4096"),
    isSigned: await new ChainSignatures(nodeCrypto).hold(chain),
    isCrlIssued: crl.issuer === ark.subject && ark.maySignCrls,
    isCrlSigned: await nodeCrypto.verify(crl.scheme, ark.publicKey, crl.tbs, crl.signature),
  });
  return {
    ...issuers,
    crlIssued: crl.thisUpdate,
    validUntil: Math.min(crl.nextUpdate, windowOf(chain).until),
  };
}

/**
 * Checks that these CAs certified a key of this very chip under this firmware.
 * @throws CharterError `collateral/malformed`, `collateral/not-genuine`.
 */
export async function genuineVcek(
  certificate: Uint8Array,
  { product, hwid, tcb }: AmdChip,
  { ask, ark }: AmdIssuers,
  roots: readonly TrustedRoot[],
): Promise<HeldVcek> {
  const { chain, leaf } = parsed(() => {
    const chain = parseAmdChain({ leaf: certificate, ask, ark });
    return { chain, leaf: readLeafExtensions(chain[0]) };
  });
  requireGenuine({
    isRooted: rootOf(chain, roots) !== undefined,
    isSigned: await new ChainSignatures(nodeCrypto).hold(chain),
    isProduct: leaf.product === product,
    isChip: leaf.hwid !== null && toHex(leaf.hwid) === `0x${hwid}`,
    isTcb: isSameTcb(leaf.tcb, tcb),
  });
  return { certificate, validUntil: chain[0].notAfter };
}

const nameOf = ({ subject }: Certificate): string | null => commonName(fromHex(subject));

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof CharterError)) throw cause;
    throw new CharterError(
      "collateral/malformed",
      "AMD's certificates and lists must be of AMD's form",
      { cause: cause.code, message: cause.message },
      { cause },
    );
  }
}

function requireGenuine(checks: Readonly<Record<string, boolean>>): void {
  if (Object.values(checks).every(Boolean)) return;
  throw new CharterError(
    "collateral/not-genuine",
    "collateral must be what was asked for, signed under a trusted root",
    { ...checks },
  );
}
