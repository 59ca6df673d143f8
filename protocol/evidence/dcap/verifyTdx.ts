import type { Crypto } from "../../crypto/crypto.ts";
import type { TcbStatus } from "../../words/enums.ts";
import { toHex, type Hex, type PlatformId } from "../../words/hex.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import { parseTdxQuote, type TdReport } from "../tdx/parseQuote.ts";
import { concatBytes, equalBytes, matchesMasked } from "../../words/bytes.ts";
import {
  ChainSignatures,
  intersect,
  isSameChain,
  isWithin,
  requireLinked,
  rootOf,
  windowOf,
} from "../chain/chain.ts";
import { chainOf, type Collateral } from "./collateral.ts";
import { collateralSignatures } from "./collateralSignatures.ts";
import { readPckExtensions } from "./pckExtensions.ts";
import { INTEL_ROOT, type TrustedRoot } from "../chain/roots.ts";
import { converge, isvLevel, moduleLevel, platformLevel } from "./tcbLevel.ts";
import { hasAllowedAttributes, hasNoServiceTd, hasSaneXfam, isDebuggable } from "./tdPolicy.ts";

export interface VerifyTdxOptions {
  readonly collateral: Collateral;
  /** Unix seconds to judge at: an argument, never the clock. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: Intel's only. */
  readonly roots?: readonly TrustedRoot[];
}

/** A TDX quote that passed every check. */
export interface TdxVerification {
  readonly kind: "tdx";
  readonly status: TcbStatus;
  /** Sorted, each once. They may accompany UpToDate. */
  readonly advisoryIds: readonly string[];
  readonly report: TdReport;
  readonly platformId: PlatformId;
  readonly fmspc: Hex;
  readonly evaluationDataNumber: number;
  /** `validFrom ≤ t < validUntil`: intersection of every certificate, CRL and document. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
  /** The quote without padding. */
  readonly quote: Uint8Array;
  readonly checks: readonly Check[];
}

const INTEL_QE_VENDOR = "0x939a7233f79c4ca9940a0db3957f0607";
const ECDSA_P256 = 2;
const TEE_TDX = 0x81;

/**
 * Verifies a TDX quote (Intel DCAP; DESIGN section 5). Pure: time, roots and collateral are arguments. Every signature
 * is computed before the first judgement, none depends on another's outcome, and no check can be skipped.
 * @throws EvidenceError `evidence/<check>` with the checks so far.
 */
export async function verifyTdx(bytes: Uint8Array, options: VerifyTdxOptions): Promise<TdxVerification> {
  const { collateral, at, crypto } = options;
  const list = new Checklist();

  const quote = list.attempt("quote-format", "a TDX quote", () => parseTdxQuote(bytes));
  list.require(
    quote.attestationKeyType === ECDSA_P256 &&
      quote.teeType === TEE_TDX &&
      toHex(quote.qeVendorId) === INTEL_QE_VENDOR,
    "quote-header",
    "a TDX quote by Intel's quoting enclave with an ECDSA P-256 key",
    {
      attestationKeyType: quote.attestationKeyType,
      teeType: quote.teeType,
      qeVendorId: toHex(quote.qeVendorId),
    },
  );
  const chain = list.attempt("pck-chain", "PCK, its CA and the root", () => {
    const certificates = chainOf(quote.pckChain);
    requireLinked(certificates, 3);
    return certificates;
  });
  const [pck, pckCa, rootCertificate] = chain as [(typeof chain)[0], (typeof chain)[0], (typeof chain)[0]];
  const extensions = list.attempt("pck-extensions", "Intel's SGX extensions", () => readPckExtensions(pck));

  // All of them at once, before any is judged: an early failure leaves no rejected promise behind, and the time that
  // a bad quote takes says nothing about which signature was bad.
  // The collateral usually carries the PCK certificate's issuers too; what was computed of them is not computed again.
  const collateralAnswers = collateralSignatures(collateral, crypto);
  const issuers = chain.slice(1);
  const [pckSigned, issuersSigned, qeSigned, quoteSigned, bound, inside, platformDigest] = await Promise.all([
    crypto.verify(pck.scheme, pckCa.publicKey, pck.tbs, pck.signature),
    isSameChain(issuers, collateral.pckCrlChain)
      ? collateralAnswers.then((answers) => answers.pckCrlChain)
      : new ChainSignatures(crypto).hold(issuers),
    crypto.verify("p256-sha256", pck.publicKey, quote.qeReport.raw, quote.qeReportSignature),
    crypto.verify("p256-sha256", quote.attestationKey, quote.signed, quote.signature),
    crypto.digest("SHA-256", concatBytes(quote.attestationKey, quote.qeAuthData)),
    collateralAnswers,
    crypto.digest("SHA-256", extensions.ppid),
  ]);

  const root = rootOf(chain, options.roots ?? [INTEL_ROOT]);
  list.require(root !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(rootCertificate.publicKey),
  });
  list.require(
    pckSigned && issuersSigned,
    "pck-signatures",
    "every certificate of the PCK chain to be signed by the next",
  );

  const { tcbInfo, qeIdentity, pckCrl, rootCaCrl, pckCrlChain } = collateral;
  list.attempt("collateral-chains", "linked chains of Intel's signers", () => {
    requireLinked(tcbInfo.chain, 2);
    requireLinked(qeIdentity.chain, 2);
  });
  const isSameRoot = (certificates: typeof chain): boolean =>
    equalBytes(certificates.at(-1)?.publicKey ?? new Uint8Array(), rootCertificate.publicKey);
  list.require(
    isSameRoot([...tcbInfo.chain]) && isSameRoot([...qeIdentity.chain]) && isSameRoot([...pckCrlChain]),
    "collateral-root",
    "collateral under the same root as the quote",
  );
  list.require(
    inside.tcbChain && inside.qeChain && inside.pckCrlChain,
    "collateral-signatures",
    "signed chains",
  );

  list.require(inside.rootCaCrl, "root-crl-signature", "a root CRL signed by the root");
  list.require(
    rootCaCrl.issuer === rootCertificate.subject && rootCertificate.maySignCrls,
    "root-crl-issuer",
    "a root CRL issued by the root",
  );
  list.require(inside.pckCrl, "pck-crl-signature", "a PCK CRL signed by its CA");
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
  const underRoot = [pckCa, tcbInfo.chain[0], qeIdentity.chain[0]];
  list.require(
    underRoot.every((certificate) => certificate !== undefined && !rootCaCrl.revoked.has(certificate.serial)),
    "ca-revoked",
    "no revoked certificate under the root",
    { serials: underRoot.map((certificate) => certificate?.serial) },
  );

  list.require(inside.tcbInfo, "tcb-info-signature", "TCB info signed by Intel's TCB signer");
  list.require(inside.qeIdentity, "qe-identity-signature", "QE identity signed by Intel's TCB signer");

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
    {
      at,
      outside: Object.fromEntries(outside),
    },
  );

  list.require(qeSigned, "qe-report-signature", "a QE report signed by the PCK");
  list.require(
    equalBytes(quote.qeReport.reportData, concatBytes(bound, new Uint8Array(32))),
    "qe-report-data",
    "a QE report that binds this attestation key",
  );
  list.require(quoteSigned, "quote-signature", "a quote signed by the attestation key");

  const qe = qeIdentity.content;
  list.require(
    matchesMasked(quote.qeReport.miscSelect, qe.miscselectMask, qe.miscselect) &&
      matchesMasked(quote.qeReport.attributes, qe.attributesMask, qe.attributes) &&
      equalBytes(quote.qeReport.mrSigner, qe.mrsigner) &&
      quote.qeReport.isvProdId === qe.isvprodid,
    "qe-identity",
    "Intel's TD quoting enclave",
    { mrSigner: toHex(quote.qeReport.mrSigner), isvProdId: quote.qeReport.isvProdId },
  );
  const qeLevel = isvLevel(qe.tcbLevels, quote.qeReport.isvSvn);
  list.require(qeLevel !== undefined, "qe-tcb", "a QE SVN that some level covers", {
    isvSvn: quote.qeReport.isvSvn,
  });

  const { report } = quote;
  list.require(!isDebuggable(report), "td-debug", "a TD that cannot be debugged");
  list.require(hasAllowedAttributes(report), "td-attributes", "only attributes that keep the TD closed", {
    tdAttributes: toHex(report.tdAttributes),
  });
  list.require(hasSaneXfam(report), "td-xfam", "x87 and SSE in XFAM", { xfam: toHex(report.xfam) });
  list.require(hasNoServiceTd(report), "td-service-td", "no service TD");

  list.require(
    equalBytes(tcbInfo.content.fmspc, extensions.fmspc) &&
      equalBytes(tcbInfo.content.pceId, extensions.pceId),
    "tcb-info-platform",
    "TCB info of this platform's family",
    { expected: toHex(extensions.fmspc), actual: toHex(tcbInfo.content.fmspc) },
  );
  const module = moduleLevel(tcbInfo.content, report);
  list.require(module.matches, "tdx-module", "a TDX module with Intel's signer and attributes", {
    module: module.id,
    mrSignerSeam: toHex(report.mrSignerSeam),
    seamAttributes: toHex(report.seamAttributes),
  });
  list.require(module.level !== undefined, "tdx-module-tcb", "a module SVN that some level covers", {
    module: module.id,
    svn: report.teeTcbSvn[0],
  });
  const platform = platformLevel(tcbInfo.content, extensions, report);
  list.require(platform !== undefined, "platform-tcb", "SVNs that some TCB level covers", {
    sgxSvns: extensions.sgxSvns,
    pceSvn: extensions.pceSvn,
    teeTcbSvn: toHex(report.teeTcbSvn),
  });

  const levels = [platform, qeLevel, module.level] as NonNullable<typeof platform>[];
  const window = intersect(Object.values(windows));
  const trusted = root as TrustedRoot;
  return {
    kind: "tdx",
    status: converge(
      (platform as NonNullable<typeof platform>).status,
      levels.slice(1).map((level) => level.status),
    ),
    advisoryIds: [...new Set(levels.flatMap((level) => level.advisoryIds))].sort(),
    report,
    platformId: toHex(platformDigest) as PlatformId,
    fmspc: toHex(extensions.fmspc),
    evaluationDataNumber: tcbInfo.content.tcbEvaluationDataNumber,
    validFrom: window.from,
    validUntil: window.until,
    root: trusted.name,
    simulated: trusted.simulated,
    quote: quote.bytes,
    checks: list.checks,
  };
}
