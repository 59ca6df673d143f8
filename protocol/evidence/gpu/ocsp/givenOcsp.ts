import type { Crypto } from "../../../crypto/crypto.ts";
import type { Certificate } from "../../../der/certificate.ts";
import { Checklist, EvidenceError, type Check } from "../../EvidenceError.ts";
import type { OcspAnswers } from "../revocation.ts";
import { issuerIdOf } from "./certId.ts";
import { ocspAnswers } from "./ocspAnswers.ts";
import { parseOcsp } from "./parseOcsp.ts";
import { verifyOcsp, type OcspVerification } from "./verifyOcsp.ts";

/** Sixteen GPUs with three certificates each, and two manifests with as many. */
const MAX_RESPONSES = 64;

/**
 * Verifies OCSP responses that came as files, about certificates of these chains (signer first, root last). Each must be
 * about certificates that one of the chains' CAs issued; what it was asked with is not known, so its age is bounded by its
 * own end alone. The chains themselves are the caller's to verify, all of them: an answer counts for no other.
 * @throws EvidenceError `evidence/ocsp-…`.
 */
export async function givenOcsp(
  responses: readonly Uint8Array[],
  chains: readonly (readonly Certificate[])[],
  options: { readonly at: number; readonly crypto: Crypto },
): Promise<{ readonly answers: OcspAnswers; readonly checks: readonly Check[] }> {
  if (responses.length === 0 || responses.length > MAX_RESPONSES) {
    throw new EvidenceError("ocsp-format", `expected 1 to ${MAX_RESPONSES} OCSP responses`, {
      actual: responses.length,
    });
  }
  const issuers = await Promise.all(
    chains
      .flatMap((chain) => chain.slice(1))
      .map(async (issuer) => ({ issuer, id: await issuerIdOf(issuer, options.crypto) })),
  );
  const verified: OcspVerification[] = [];
  const checks: Check[] = [];
  for (const bytes of responses) {
    const list = new Checklist(checks.splice(0));
    const { response } = list.attempt("ocsp-format", "one OCSP response", () => parseOcsp(bytes));
    const asked = response?.answers[0];
    const found = issuers.find(({ id }) => id.nameHash === asked?.nameHash && id.keyHash === asked.keyHash);
    // A refusal to answer names no issuer: `verifyOcsp` refuses it, whoever is asked about.
    const issuer = found?.issuer ?? (response === null ? issuers[0]?.issuer : undefined);
    list.require(issuer !== undefined, "ocsp-issuer", "answers about certificates of the given chains", {
      actual: asked ?? null,
    });
    const serials = (response?.answers ?? []).map(({ serial }) => serial);
    const judged = await verifyOcsp(bytes, { ...options, issuer: issuer as Certificate, serials });
    verified.push(judged);
    checks.push(...list.checks, ...judged.checks);
  }
  return { answers: ocspAnswers(verified), checks };
}
