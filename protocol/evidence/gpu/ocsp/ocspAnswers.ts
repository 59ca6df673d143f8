import { intersect } from "../../chain/chain.ts";
import type { CertificateStatus, OcspAnswers } from "../revocation.ts";
import type { OcspVerification } from "./verifyOcsp.ts";

/**
 * What verified responses say together, as `verifyGpu` and `verifyRim` take it. Serials are an issuer's own: should two
 * issuers have given the same one, anything but good counts for both.
 */
export function ocspAnswers(all: readonly OcspVerification[]): OcspAnswers {
  const status = new Map<string, CertificateStatus>();
  for (const { serial, status: said } of all.flatMap(({ answers }) => answers)) {
    if (said !== "good" || !status.has(serial)) status.set(serial, said);
  }
  const window = intersect(all.map(({ validFrom, validUntil }) => ({ from: validFrom, until: validUntil })));
  return { status: Object.fromEntries(status), ...window };
}
