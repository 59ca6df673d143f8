import type { Crypto } from "../../crypto/crypto.ts";
import { parseCrl, type Crl } from "../../der/crl.ts";
import { CharterError } from "../../errors/CharterError.ts";
import type { Window } from "../chain/chain.ts";
import type { Checklist } from "../EvidenceError.ts";
import type { AmdChain } from "./amdChain.ts";

/** VCEK's and VLEK's; more have no use. */
const MAX_CRLS = 4;

/** Parses CRLs that the caller wants to hold; an empty list would hold nothing and is refused. */
export function parseCrls(crls: readonly Uint8Array[]): Crl[] {
  if (crls.length === 0 || crls.length > MAX_CRLS) {
    throw new CharterError("crl/count", `expected 1 to ${MAX_CRLS} CRLs`, { actual: crls.length });
  }
  return crls.map(parseCrl);
}

export const crlSignatures = (
  crls: readonly Crl[],
  [, , ark]: AmdChain,
  crypto: Crypto,
): Promise<boolean[]> =>
  Promise.all(crls.map((crl) => crypto.verify(crl.scheme, ark.publicKey, crl.tbs, crl.signature)));

export const windowOfCrl = ({ thisUpdate, nextUpdate }: Crl): Window => ({
  from: thisUpdate,
  until: nextUpdate,
});

/**
 * Every CRL: signed and issued by the ARK, naming none of the chain. The serial of all VCEKs is 0, so a CRL can only
 * revoke CAs; that of a chip's firmware is what `minimumTcb` is for.
 */
export function requireUnrevoked(
  list: Checklist,
  crls: readonly Crl[],
  signed: readonly boolean[],
  chain: AmdChain,
): void {
  const [, , ark] = chain;
  list.require(
    signed.length === crls.length && signed.every((ok) => ok),
    "snp-crl-signature",
    "CRLs signed by the ARK",
  );
  list.require(
    ark.maySignCrls && crls.every((crl) => crl.issuer === ark.subject),
    "snp-crl-issuer",
    "CRLs issued by the ARK",
  );
  const revoked = chain.filter(({ serial }) => crls.some((crl) => crl.revoked.has(serial)));
  list.require(revoked.length === 0, "snp-revoked", "no revoked certificate", {
    serials: revoked.map(({ serial }) => serial),
  });
}
