import type { Crypto } from "../../crypto/crypto.ts";
import type { Certificate } from "../../der/certificate.ts";
import { concatBytes, equalBytes } from "../../words/bytes.ts";
import type { TcbStatus } from "../../words/enums.ts";
import { toHex, type Hex, type PlatformId } from "../../words/hex.ts";
import {
  ChainSignatures,
  intersect,
  isSameChain,
  isWithin,
  rootOf,
  windowOf,
  type Window,
} from "../chain/chain.ts";
import { INTEL_ROOT, type TrustedRoot } from "../chain/roots.ts";
import { Checklist, EvidenceError, type Check } from "../EvidenceError.ts";
import { chainOf, type Collateral } from "./collateral.ts";
import { collateralSignatures, type CollateralSignatures } from "./collateralSignatures.ts";
import type { EnclaveReport } from "./enclaveReport.ts";
import { requirePckChain, requireSignerChain } from "./intelChains.ts";
import { judgeTcb } from "./judgeTcb.ts";
import { parseQuote, type Quote } from "./parseQuote.ts";
import { isKnownQe, withQe } from "./PlatformCache.ts";
import type { KnownPlatform, PckChain, PlatformCache, SignedQeReport } from "./PlatformCache.ts";
import { readPckExtensions, type PckExtensions } from "./pckExtensions.ts";
import { requireClosedReport } from "./reportPolicy.ts";
import type { TdReport } from "./tdReport.ts";

export interface VerifyQuoteOptions {
  readonly collateral: Collateral;
  /** Unix seconds to judge at: an argument, never the clock. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: Intel's only. */
  readonly roots?: readonly TrustedRoot[];
  /** Lowest TCB evaluation data number that still counts: what was seen before must not come back older. Default 0. */
  readonly minEvaluationDataNumber?: number;
  /** Saves work for machines that were seen before; the verdict is the same with and without. */
  readonly platforms?: PlatformCache;
}

/** A quote that passed every check. */
interface Verification<Report extends TdReport | EnclaveReport> {
  readonly kind: Report["kind"];
  readonly status: TcbStatus;
  /** Sorted, each once. They may accompany UpToDate. */
  readonly advisoryIds: readonly string[];
  readonly report: Report;
  /** SHA-256 of the PPID. */
  readonly platformId: PlatformId;
  readonly fmspc: Hex;
  /** The lower one of TCB info and QE identity. */
  readonly evaluationDataNumber: number;
  /** `validFrom ≤ t < validUntil`: intersection of every certificate, CRL and document. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
  /** The quote without padding. */
  readonly quote: Uint8Array;
  /** What the attestation key signed of it. */
  readonly signed: Uint8Array;
  readonly checks: readonly Check[];
}
export type TdxVerification = Verification<TdReport>;
export type SgxVerification = Verification<EnclaveReport>;

const INTEL_QE_VENDOR = "0x939a7233f79c4ca9940a0db3957f0607";
const ECDSA_P256 = 2;

/**
 * Verifies a TDX or SGX quote (Intel DCAP; DESIGN section 5). Pure: time, roots and collateral are arguments. Every
 * signature is computed before the first judgement, none depends on another's outcome, and no check can be skipped.
 * @throws EvidenceError `evidence/<check>` with the checks so far.
 */
export async function verifyQuote(
  bytes: Uint8Array,
  options: VerifyQuoteOptions,
): Promise<TdxVerification | SgxVerification> {
  const { collateral, at, crypto, roots = [INTEL_ROOT], minEvaluationDataNumber = 0, platforms } = options;
  const list = new Checklist();

  const quote = list.attempt("quote-format", "a TDX or SGX quote", () => parseQuote(bytes));
  list.require(
    quote.attestationKeyType === ECDSA_P256 && toHex(quote.qeVendorId) === INTEL_QE_VENDOR,
    "quote-header",
    "a quote by Intel's quoting enclave with an ECDSA P-256 key",
    { attestationKeyType: quote.attestationKeyType, qeVendorId: toHex(quote.qeVendorId) },
  );
  const known = platforms?.find(quote.pckChain);
  const chain = list.attempt(
    "pck-chain",
    "PCK, its CA and the root",
    () => known?.chain ?? parsePckChain(quote.pckChain),
  );
  const pck = list.attempt(
    "pck-extensions",
    "Intel's SGX extensions",
    () => known?.pck ?? readPckExtensions(chain[0]),
  );

  const answers = await compute(quote, chain, pck, collateral, crypto, known);
  const root = requireTrust(list, chain, roots, answers, collateral);
  requireUnrevoked(list, chain, answers.collateral, collateral);
  requireSignedDocuments(list, answers.collateral, collateral, minEvaluationDataNumber);
  const window = requireValid(list, chain, collateral, at);

  list.require(answers.qe, "qe-report-signature", "a QE report signed by the PCK");
  list.require(
    equalBytes(quote.qeReport.reportData, concatBytes(answers.attestationKey, new Uint8Array(32))),
    "qe-report-data",
    "a QE report that binds this attestation key",
  );
  list.require(answers.quote, "quote-signature", "a quote signed by the attestation key");

  const judged = judgeTcb(list, quote, pck, collateral);
  requireClosedReport(list, quote.report);
  platforms?.keep(quote.pckChain, {
    chain,
    pck,
    isSigned: answers.pck,
    platform: answers.platform,
    qeReports: withQe(known, qeOf(quote)),
  });
  const verification = {
    status: judged.status,
    advisoryIds: judged.advisoryIds,
    platformId: toHex(answers.platform) as PlatformId,
    fmspc: toHex(pck.fmspc),
    evaluationDataNumber: evaluationDataNumber(collateral),
    validFrom: window.from,
    validUntil: window.until,
    root: root.name,
    simulated: root.simulated,
    quote: quote.bytes,
    signed: quote.signed,
    checks: list.checks,
  };
  const { report } = quote;
  return report.kind === "tdx"
    ? { ...verification, kind: report.kind, report }
    : { ...verification, kind: report.kind, report };
}

/** `verifyQuote` where only a TD will do. @throws EvidenceError `evidence/quote-kind` for an enclave's quote. */
export async function verifyTdx(bytes: Uint8Array, options: VerifyQuoteOptions): Promise<TdxVerification> {
  const verified = await verifyQuote(bytes, options);
  if (verified.kind === "tdx") return verified;
  throw new EvidenceError(
    "quote-kind",
    "expected a quote of a TD",
    { actual: verified.kind },
    verified.checks,
  );
}

function parsePckChain(text: string): PckChain {
  const certificates: readonly Certificate[] = chainOf(text);
  requirePckChain(certificates);
  return certificates;
}

const qeOf = ({ qeReport, qeReportSignature }: Quote): SignedQeReport => ({
  report: qeReport.raw,
  signature: qeReportSignature,
});

interface Answers {
  readonly pck: boolean;
  readonly issuers: boolean;
  readonly qe: boolean;
  readonly quote: boolean;
  /** SHA-256 of the attestation key and the QE's authentication data. */
  readonly attestationKey: Uint8Array;
  readonly collateral: CollateralSignatures;
  /** SHA-256 of the PPID. */
  readonly platform: Uint8Array;
}

/**
 * All cryptography at once, before anything is judged: an early failure leaves no rejected promise behind, and the time
 * that a bad quote takes says nothing about which signature was bad. The collateral usually carries the PCK
 * certificate's issuers too; what was computed of them is not computed again.
 */
async function compute(
  quote: Quote,
  chain: PckChain,
  extensions: PckExtensions,
  collateral: Collateral,
  crypto: Crypto,
  known: KnownPlatform | undefined,
): Promise<Answers> {
  const [pck, pckCa] = chain;
  const issuers = chain.slice(1);
  const inside = collateralSignatures(collateral, crypto);
  const answers = await Promise.all([
    known?.isSigned ?? crypto.verify(pck.scheme, pckCa.publicKey, pck.tbs, pck.signature),
    isSameChain(issuers, collateral.pckCrlChain)
      ? inside.then((signatures) => signatures.pckCrlChain)
      : new ChainSignatures(crypto).hold(issuers),
    (known !== undefined && isKnownQe(known, qeOf(quote))) ||
      crypto.verify("p256-sha256", pck.publicKey, quote.qeReport.raw, quote.qeReportSignature),
    crypto.verify("p256-sha256", quote.attestationKey, quote.signed, quote.signature),
    crypto.digest("SHA-256", concatBytes(quote.attestationKey, quote.qeAuthData)),
    inside,
    known?.platform ?? crypto.digest("SHA-256", extensions.ppid),
  ]);
  return {
    pck: answers[0],
    issuers: answers[1],
    qe: answers[2],
    quote: answers[3],
    attestationKey: answers[4],
    collateral: answers[5],
    platform: answers[6],
  };
}

/** One pinned root above the quote and all of its collateral, every link signed. */
function requireTrust(
  list: Checklist,
  chain: PckChain,
  roots: readonly TrustedRoot[],
  answers: Answers,
  collateral: Collateral,
): TrustedRoot {
  const { tcbInfo, qeIdentity, pckCrlChain } = collateral;
  const rootKey = chain[2].publicKey;
  const root = rootOf(chain, roots);
  list.require(root !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(rootKey),
  });
  list.require(
    answers.pck && answers.issuers,
    "pck-signatures",
    "every certificate of the PCK chain to be signed by the next",
  );
  list.attempt("collateral-chains", "linked chains of Intel's signers", () => requireLinkedOnce(collateral));
  list.require(
    [tcbInfo.chain, qeIdentity.chain, pckCrlChain].every((certificates) =>
      equalBytes(certificates.at(-1)?.publicKey ?? new Uint8Array(), rootKey),
    ),
    "collateral-root",
    "collateral under the same root as the quote",
  );
  const { tcbChain, qeChain, pckCrlChain: crlChain } = answers.collateral;
  list.require(tcbChain && qeChain && crlChain, "collateral-signatures", "signed chains");
  return root as TrustedRoot;
}

/** Collateral whose signers' chains are linked: what its bytes say of that does not change, only its dates pass. */
const linked = new WeakSet<Collateral>();

function requireLinkedOnce(collateral: Collateral): void {
  if (linked.has(collateral)) return;
  requireSignerChain(collateral.tcbInfo.chain);
  requireSignerChain(collateral.qeIdentity.chain);
  linked.add(collateral);
}

/** Both CRLs: signed, by the right issuer, and naming nothing that stands here. */
function requireUnrevoked(
  list: Checklist,
  [pck, pckCa, root]: PckChain,
  signed: CollateralSignatures,
  { rootCaCrl, pckCrl, pckCrlChain, tcbInfo, qeIdentity }: Collateral,
): void {
  list.require(signed.rootCaCrl, "root-crl-signature", "a root CRL signed by the root");
  list.require(
    rootCaCrl.issuer === root.subject && root.maySignCrls,
    "root-crl-issuer",
    "a root CRL issued by the root",
  );
  list.require(signed.pckCrl, "pck-crl-signature", "a PCK CRL signed by its CA");
  list.require(
    pckCrl.issuer === pckCa.subject &&
      pckCa.maySignCrls &&
      equalBytes(pckCrlChain[0]?.publicKey ?? new Uint8Array(), pckCa.publicKey),
    "pck-crl-issuer",
    "a PCK CRL issued by the CA that issued the PCK certificate",
  );
  list.require(!pckCrl.revoked.has(pck.serial), "pck-revoked", "a PCK certificate that is not revoked", {
    serial: pck.serial,
  });
  // RFC 5280 §6.1 leaves the anchor out; but a root that revokes itself says that it must not be trusted any more.
  const named = [pckCa, root, tcbInfo.chain[0], qeIdentity.chain[0]];
  const serials = named.map((certificate) => certificate?.serial);
  list.require(
    serials.every((serial) => serial !== undefined && !rootCaCrl.revoked.has(serial)),
    "ca-revoked",
    "no revoked certificate under the root",
    { serials },
  );
}

function requireSignedDocuments(
  list: Checklist,
  signed: CollateralSignatures,
  collateral: Collateral,
  least: number,
): void {
  list.require(signed.tcbInfo, "tcb-info-signature", "TCB info signed by Intel's TCB signer");
  list.require(signed.qeIdentity, "qe-identity-signature", "QE identity signed by Intel's TCB signer");
  const actual = evaluationDataNumber(collateral);
  list.require(actual >= least, "evaluation-data-number", `evaluation data number ${least} or later`, {
    expected: least,
    actual,
  });
}

const evaluationDataNumber = ({ tcbInfo, qeIdentity }: Collateral): number =>
  Math.min(tcbInfo.content.tcbEvaluationDataNumber, qeIdentity.content.tcbEvaluationDataNumber);

/** Everything valid at `at`; the answer is the time in which that stays so. */
function requireValid(list: Checklist, chain: PckChain, collateral: Collateral, at: number): Window {
  const { pckCrlChain, tcbInfo, qeIdentity, rootCaCrl, pckCrl } = collateral;
  const windows = {
    pckChain: windowOf(chain),
    pckCrlChain: windowOf(pckCrlChain),
    tcbChain: windowOf(tcbInfo.chain),
    qeChain: windowOf(qeIdentity.chain),
    rootCaCrl: { from: rootCaCrl.thisUpdate, until: rootCaCrl.nextUpdate },
    pckCrl: { from: pckCrl.thisUpdate, until: pckCrl.nextUpdate },
    tcbInfo: { from: tcbInfo.content.issueDate, until: tcbInfo.content.nextUpdate },
    qeIdentity: { from: qeIdentity.content.issueDate, until: qeIdentity.content.nextUpdate },
  };
  const outside = Object.entries(windows).filter(([, window]) => !isWithin(window, at));
  list.require(
    outside.length === 0,
    "validity",
    "every certificate, CRL and document to be valid at that time",
    { at, outside: Object.fromEntries(outside) },
  );
  return intersect(Object.values(windows));
}
