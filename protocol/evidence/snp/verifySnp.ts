import type { Crypto } from "../../crypto/crypto.ts";
import type { Crl } from "../../der/crl.ts";
import { equalBytes, isZero } from "../../words/bytes.ts";
import { toHex, type PlatformId } from "../../words/hex.ts";
import { ChainSignatures, intersect, isWithin, rootOf, windowOf, type Window } from "../chain/chain.ts";
import type { TrustedRoot } from "../chain/roots.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import {
  expectedNames,
  namesOf,
  parseAmdChain,
  productOf,
  type AmdChain,
  type SnpCertificates,
} from "./amdChain.ts";
import { crlSignatures, parseCrls, requireUnrevoked, windowOfCrl } from "./amdCrl.ts";
import { AMD_ROOTS, type SnpProduct } from "./amdRoots.ts";
import { mrConfigHash, parseMrConfig, type MrConfigDocument } from "./hostData.ts";
import { readLeafExtensions, type LeafExtensions } from "./leafExtensions.ts";
import { parseSnpReport, type SnpReport } from "./parseReport.ts";
import { requireClosedGuest, type SnpExpectation } from "./snpPolicy.ts";
import {
  isSameTcb,
  judgeSnpTcb,
  readTcb,
  type JudgedSnpTcb,
  type SnpTcbs,
  type TcbFloors,
} from "./snpTcb.ts";

/** What an SEV-SNP guest gives: its report, and the certificates above the key that signed it. */
export interface SnpEvidence {
  readonly report: Uint8Array;
  readonly certificates: SnpCertificates;
  /** dstack's configuration document, whose hash must then be HOST_DATA. */
  readonly mrConfig?: string;
}

export interface VerifySnpOptions {
  /** Unix seconds to judge at. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: AMD's only. */
  readonly roots?: readonly TrustedRoot[];
  /** DER, of the ARK above this report. All must hold; without them the result's `revocation` is "unchecked". */
  readonly crls?: readonly Uint8Array[];
  /** Without them the result's `tcbFloor` is "unchecked". */
  readonly minimumTcb?: TcbFloors;
  readonly expect?: SnpExpectation;
}

/** A report that passed every check. */
export interface SnpVerification {
  readonly kind: "snp";
  readonly status: JudgedSnpTcb["status"];
  readonly tcbFloor: JudgedSnpTcb["floor"];
  readonly tcbs: SnpTcbs;
  readonly product: SnpProduct;
  /** SHA-256 of the 64 bytes of CHIP_ID, as dstack's device id; null where the host masks it (VLEK only). */
  readonly platformId: PlatformId | null;
  readonly report: SnpReport;
  readonly reportData: Uint8Array;
  /** 48 bytes: what was launched. */
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly leaf: LeafExtensions;
  /** The document that HOST_DATA binds; null where none was given. */
  readonly mrConfig: MrConfigDocument | null;
  readonly revocation: "good" | "unchecked";
  /** `validFrom ≤ t < validUntil`: intersection of the certificates and of the CRLs that were used. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
  readonly checks: readonly Check[];
}

/**
 * Verifies an SEV-SNP attestation report (AMD SEV-SNP ABI 56860; VCEK and KDS 57230; DESIGN section 5). Pure; every
 * signature is computed before the first judgement.
 *
 * Not checked, and said so in the result: revocation where no CRLs are given (and VCEKs are never on one: their serial
 * is 0), how old firmware may be where no floors are given (`tcbFloor`). Never checked here: what the measurement, the
 * ids, the digests of the launch's keys, the guest's SVN, the mitigation vectors and the ABI version of the policy ought
 * to be; that a migrated or masked chip is one that the caller knows; how fresh the report is (its report data must say).
 * @throws EvidenceError `evidence/<check>` with the checks so far.
 */
export async function verifySnp(evidence: SnpEvidence, options: VerifySnpOptions): Promise<SnpVerification> {
  const { at, crypto, roots = AMD_ROOTS, minimumTcb, expect = {} } = options;
  const list = new Checklist();

  const report = list.attempt("snp-report-format", "an attestation report", () =>
    parseSnpReport(evidence.report),
  );
  const chain = list.attempt("snp-chain", "VCEK and ASK, or VLEK and ASVK, and ARK", () =>
    parseAmdChain(evidence.certificates),
  );
  const leaf = list.attempt("snp-leaf-extensions", "AMD's extensions", () => readLeafExtensions(chain[0]));
  const crls = options.crls ? parseGivenCrls(list, options.crls) : null;
  const document = evidence.mrConfig;
  const mrConfig = document === undefined ? null : readDocument(list, document);

  const [links, signature, crlsSigned, chip, documentHash] = await Promise.all([
    new ChainSignatures(crypto).hold(chain),
    crypto.verify("p384-sha384", chain[0].publicKey, report.signed, report.signature),
    crlSignatures(crls ?? [], chain, crypto),
    crypto.digest("SHA-256", report.chipId),
    document === undefined ? null : mrConfigHash(document, crypto),
  ]);
  const root = rootOf(chain, roots);
  list.require(root !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(chain[2].publicKey),
  });
  list.require(links, "snp-chain-signatures", "every certificate to be signed by the next");
  const window = requireValid(list, chain, crls, at);
  if (crls) requireUnrevoked(list, crls, crlsSigned, chain);
  requireProduct(list, report, leaf, chain);
  requireSigner(list, report, leaf);
  list.require(signature, "snp-signature", "a report signed by the leaf");

  const tcbs = requireTcb(list, report, leaf);
  requireChip(list, report, leaf);
  requireClosedGuest(list, report, expect);
  if (documentHash) requireBound(list, report, documentHash);
  if (expect.composeHash !== undefined) {
    list.require(mrConfig?.composeHash === expect.composeHash, "snp-compose-hash", "this compose hash", {
      expected: expect.composeHash,
      actual: mrConfig?.composeHash ?? null,
    });
  }
  const { status, floor } = judgeSnpTcb(tcbs, leaf.product, minimumTcb);
  const { name, simulated } = root as TrustedRoot;
  return {
    kind: "snp",
    status,
    tcbFloor: floor,
    tcbs,
    product: leaf.product,
    platformId: isZero(report.chipId) ? null : (toHex(chip) as PlatformId),
    report,
    reportData: report.reportData,
    measurement: report.measurement,
    hostData: report.hostData,
    leaf,
    mrConfig,
    revocation: crls ? "good" : "unchecked",
    validFrom: window.from,
    validUntil: window.until,
    root: name,
    simulated,
    checks: list.checks,
  };
}

const parseGivenCrls = (list: Checklist, crls: readonly Uint8Array[]): readonly Crl[] =>
  list.attempt("snp-crl-format", "CRLs", () => parseCrls(crls));

const readDocument = (list: Checklist, document: string): MrConfigDocument =>
  list.attempt("snp-mr-config-format", "dstack's configuration document", () => parseMrConfig(document));

/** A document that the launch does not bind says nothing of the guest. */
function requireBound(list: Checklist, { hostData }: SnpReport, expected: Uint8Array): void {
  list.require(equalBytes(hostData, expected), "snp-mr-config", "HOST_DATA to be the document's hash", {
    expected: toHex(expected),
    actual: toHex(hostData),
  });
}

/** Everything valid at `at`; the answer is the time in which that stays so. */
function requireValid(list: Checklist, chain: AmdChain, crls: readonly Crl[] | null, at: number): Window {
  const windows = [windowOf(chain), ...(crls ?? []).map(windowOfCrl)];
  list.require(
    windows.every((window) => isWithin(window, at)),
    "validity",
    "every certificate and CRL to be valid at that time",
    { at, windows },
  );
  return intersect(windows);
}

/**
 * One product in the leaf, in the names of its CAs, and from version 3 on in the processor's CPUID. Version 2 has no
 * CPUID: there AMD's signed product name alone decides.
 */
function requireProduct(list: Checklist, { cpuId }: SnpReport, leaf: LeafExtensions, chain: AmdChain): void {
  const expected = expectedNames(leaf.product, leaf.kind);
  const actual = list.attempt("snp-names", "names of AMD's CAs", () => namesOf(chain));
  list.require(
    expected.every((name, i) => name === actual[i]),
    "snp-issuer",
    "CAs of the leaf's product and kind",
    { expected, actual },
  );
  const product = cpuId ? productOf(cpuId) : leaf.product;
  list.require(product === leaf.product, "snp-product", "the product that the certificates are for", {
    expected: leaf.product,
    actual: product,
    cpuId,
  });
}

/** SIGNING_KEY says which kind of key signed; where MASK_CHIP_KEY is set the firmware does not sign (ABI §3.6). */
function requireSigner(list: Checklist, report: SnpReport, leaf: LeafExtensions): void {
  list.require(report.signer === leaf.kind, "snp-signer", "the kind of key that the report says signed it", {
    expected: report.signer,
    actual: leaf.kind,
  });
  list.require(!report.chipKeyMasked, "snp-key-masked", "a platform whose firmware signs reports");
}

/** The signing key is derived from the reported version: the certificate must be the one of that version. */
function requireTcb(list: Checklist, { tcbs }: SnpReport, { product, tcb }: LeafExtensions): SnpTcbs {
  const [current, reported, committed, launch] = [
    readTcb(tcbs.current, product),
    readTcb(tcbs.reported, product),
    readTcb(tcbs.committed, product),
    readTcb(tcbs.launch, product),
  ];
  const isWhole = current !== null && reported !== null && committed !== null && launch !== null;
  list.require(isWhole, "snp-tcb-format", "zero in the reserved bytes of every TCB version");
  const read = { current, reported, committed, launch } as SnpTcbs;
  list.require(isSameTcb(read.reported, tcb), "snp-tcb", "the TCB version that the certificate is for", {
    expected: tcb,
    actual: read.reported,
  });
  return read;
}

/**
 * A VCEK is one chip's: the report must name that chip. A masked CHIP_ID (zero) names none and is refused, as the ABI
 * gives no other way to tell. Behind a VLEK the id is the firmware's word, and no certificate repeats it. Turin's hardware
 * id has 8 bytes, and zeros fill CHIP_ID.
 */
function requireChip(list: Checklist, { chipId }: SnpReport, { hwid }: LeafExtensions): void {
  const expected = hwid ? new Uint8Array(chipId.length) : chipId;
  if (hwid) expected.set(hwid);
  list.require(
    equalBytes(chipId, expected) && (hwid === null || !isZero(chipId)),
    "snp-chip-id",
    "the chip that the certificate is for",
    { expected: toHex(expected), actual: toHex(chipId) },
  );
}
