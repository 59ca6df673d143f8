import type { Crypto } from "../../../crypto/crypto.ts";
import type { Certificate } from "../../../der/certificate.ts";
import { toHex } from "../../../words/hex.ts";
import { intersect, isWithin, windowOf } from "../../chain/chain.ts";
import { Checklist, type Check } from "../../EvidenceError.ts";
import { issuerIdOf, keyBits, type IssuerId } from "./certId.ts";
import { parseOcsp, type BasicOcspResponse, type OcspAnswer } from "./parseOcsp.ts";
import { isNamed, readCandidates, type Candidate } from "./responder.ts";

export interface VerifyOcspOptions {
  /** Unix seconds to judge at. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Who issued the certificates. The caller has verified it up to a trusted root. */
  readonly issuer: Certificate;
  /** Serials that must be answered for, each once, and no others (0x hex, as `Certificate.serial`). */
  readonly serials: readonly string[];
  /** The nonce that was sent. Without one, whatever the response has will do: its age is bounded by nextUpdate alone. */
  readonly nonce?: Uint8Array;
  /** A response without any nonce will do although one was sent: services may answer from a cache (RFC 9654 §4). */
  readonly allowCached?: boolean;
  /** How far the service's clock may run ahead of the caller's: answers are made when they are asked for. Default 0. */
  readonly leadSeconds?: number;
}

/** What a service said, and until when it holds. It may have said "revoked": that is the caller's to judge. */
export interface OcspVerification {
  /** In the order of `serials`. */
  readonly answers: readonly OcspAnswer[];
  /** `validFrom ≤ t < validUntil`: intersection of the answers' times and the responder's certificate. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly checks: readonly Check[];
}

/**
 * Verifies an OCSP response (RFC 6960 §3.2, §4.2) about certificates of one issuer, on P-384 as NVIDIA has them: signed by
 * the issuer, or by a responder whose certificate that issuer signed for id-kp-OCSPSigning. Pure.
 *
 * Not checked: whether the responder's own certificate was revoked (RFC 6960 §4.2.2.2.1 leaves that to the issuer).
 * @throws EvidenceError `evidence/ocsp-…`.
 */
export async function verifyOcsp(bytes: Uint8Array, options: VerifyOcspOptions): Promise<OcspVerification> {
  const { at, crypto, issuer, serials, leadSeconds = 0 } = options;
  const list = new Checklist();
  const { status, response } = list.attempt("ocsp-format", "one OCSP response", () => parseOcsp(bytes));
  list.require(response !== null, "ocsp-status", "an answer, not a refusal to answer", { actual: status });
  const basic = response as BasicOcspResponse;
  const candidates = list.attempt("ocsp-certificates", "certificates of responders", () =>
    readCandidates(basic, issuer),
  );

  const keyHashes = await Promise.all(
    candidates.map(({ certificate }) => crypto.digest("SHA-1", keyBits(certificate))),
  );
  const signers = candidates.filter((one, i) => isNamed(basic.responder, one, keyHashes[i] as Uint8Array));
  list.require(signers.length === 1, "ocsp-responder", "the one certificate of the named responder", {
    expected: basic.responder,
    actual: signers.length,
  });
  const signer = signers[0] as Candidate;
  const { certificate } = signer;
  const [delegation, signature, issuerId] = await Promise.all([
    crypto.verify("p384-sha384", issuer.publicKey, certificate.tbs, certificate.signature),
    crypto.verify("p384-sha384", certificate.publicKey, basic.tbs, basic.signature),
    issuerIdOf(issuer, crypto),
  ]);
  requireDelegation(list, signer, issuer, delegation);
  list.require(
    signature && certificate.keyType === "P-384" && basic.scheme === "p384-sha384",
    "ocsp-signature",
    "a response that the responder signed",
  );
  const answers = requireAsked(list, basic.answers, issuerId, serials);
  const windows = answers.map(({ thisUpdate, nextUpdate }) => ({
    from: thisUpdate - leadSeconds,
    until: nextUpdate,
  }));
  const window = intersect([windowOf([certificate]), ...windows]);
  list.require(isWithin(window, at), "ocsp-validity", "answers and responder to be valid at that time", {
    at,
    ...window,
  });
  requireNonce(list, basic, options);
  return { answers, validFrom: window.from, validUntil: window.until, checks: list.checks };
}

/** The issuer may answer for itself; anybody else by a certificate of that very issuer, made for this. */
function requireDelegation(
  list: Checklist,
  { certificate, isIssuer, isForOcsp }: Candidate,
  issuer: Certificate,
  isSigned: boolean,
): void {
  const isIssued = isSigned && certificate.scheme === "p384-sha384" && certificate.issuer === issuer.subject;
  list.require(isIssuer || isIssued, "ocsp-responder-issued", "a responder whom the same issuer certified");
  list.require(
    isIssuer || isForOcsp,
    "ocsp-responder-use",
    "a responder whose key is for signing OCSP responses",
  );
}

/** Exactly those that were asked for: an answer for another certificate, or of another issuer's, is none. */
function requireAsked(
  list: Checklist,
  answers: readonly OcspAnswer[],
  { nameHash, keyHash }: IssuerId,
  serials: readonly string[],
): OcspAnswer[] {
  const ofIssuer = answers.filter((one) => one.nameHash === nameHash && one.keyHash === keyHash);
  const found = serials.map((serial) => ofIssuer.find((one) => one.serial === serial));
  const isWhole = serials.length > 0 && new Set(serials).size === serials.length;
  list.require(
    isWhole && found.every((one) => one !== undefined) && answers.length === serials.length,
    "ocsp-certificate",
    "an answer for each certificate that was asked for, and no other",
    { expected: { nameHash, keyHash, serials }, actual: answers.map(({ serial }) => serial) },
  );
  return found as OcspAnswer[];
}

function requireNonce(list: Checklist, response: BasicOcspResponse, options: VerifyOcspOptions): void {
  const { nonce, allowCached = false } = options;
  const expected = nonce === undefined ? null : toHex(nonce);
  const actual = response.nonce;
  const isMissing = actual === null && allowCached;
  list.require(
    expected === null || actual === expected || isMissing,
    "ocsp-nonce",
    "the nonce that was sent",
    {
      expected,
      actual,
    },
  );
}
