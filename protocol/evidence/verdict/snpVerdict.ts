import { nameOf, TcbStatus, type TcbStatusName } from "../../words/enums.ts";
import { toHex } from "../../words/hex.ts";
import { splitPem } from "../../der/pem.ts";
import { EvidenceError } from "../EvidenceError.ts";
import type { SnpCertificates } from "../snp/amdChain.ts";
import { certificatesOfTable } from "../snp/certificateTable.ts";
import { parseSnpReport } from "../snp/parseReport.ts";
import { verifySnp, type SnpVerification } from "../snp/verifySnp.ts";
import type { SnpTcb } from "../snp/snpTcb.ts";
import type { Fact, Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** An SEV-SNP report, with its certificates and dstack's configuration document where they came along. */
export interface SnpReportFile {
  readonly kind: "snp";
  readonly report: Uint8Array;
  /** PEM of leaf, ASK or ASVK, and ARK. */
  readonly certificates?: string;
  /** The kernel's table of the same. */
  readonly certificateTable?: Uint8Array;
  readonly mrConfig?: string;
}

/** PEM of leaf, ASK or ASVK, and ARK, in this order. @throws EvidenceError `evidence/snp-certificates`. */
function amdCertificates(pem: string): SnpCertificates {
  const [leaf, ask, ark, ...more] = splitPem(pem);
  if (!leaf || !ask || !ark || more.length > 0) {
    throw new EvidenceError(
      "snp-certificates",
      "expected three certificates: VCEK or VLEK, ASK or ASVK, ARK",
    );
  }
  return { leaf, ask, ark };
}

/**
 * The report's own certificates; else those that the caller fetched.
 * @throws EvidenceError `evidence/collateral-missing`, `evidence/snp-certificates`, `evidence/snp-certificate-table`.
 */
export function snpCertificates(
  { report, certificates, certificateTable }: SnpReportFile,
  given: string | undefined,
): SnpCertificates {
  if (certificateTable) return certificatesOfTable(certificateTable, parseSnpReport(report).signer);
  const pem = certificates ?? given;
  if (pem !== undefined) return amdCertificates(pem);
  throw new EvidenceError(
    "collateral-missing",
    "expected the report's VCEK or VLEK, its ASK or ASVK, and the ARK",
  );
}

/** Verdict on an SEV-SNP report. @throws EvidenceError; `evidence/collateral-missing` without certificates. */
export async function snpVerdict(
  file: SnpReportFile,
  { at, crypto, roots, collateral: { amd } = {} }: VerifyAnyOptions,
): Promise<Verdict> {
  const { report, mrConfig } = file;
  const certificates = snpCertificates(file, amd?.certificates);
  const verified = await verifySnp(
    { report, certificates, ...(mrConfig === undefined ? {} : { mrConfig }) },
    {
      at,
      crypto,
      ...(roots ? { roots } : {}),
      ...(amd?.crls ? { crls: amd.crls } : {}),
      ...(amd?.minimumTcb ? { minimumTcb: amd.minimumTcb } : {}),
    },
  );
  return {
    kind: "snp",
    status: nameOf(TcbStatus, verified.status) as TcbStatusName,
    advisoryIds: [],
    platformId: verified.platformId,
    facts: factsOf(verified),
    reportData: toHex(verified.reportData),
    validFrom: verified.validFrom,
    validUntil: verified.validUntil,
    root: verified.root,
    simulated: verified.simulated,
    unchecked: uncheckedOf(verified),
    checks: verified.checks,
  };
}

function factsOf({ product, report, tcbs, mrConfig }: SnpVerification): Readonly<Record<string, Fact>> {
  return {
    product,
    reportVersion: report.version,
    signer: report.signer,
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    guestSvn: report.guestSvn,
    vmpl: report.vmpl,
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    reportId: toHex(report.reportId),
    chipId: toHex(report.chipId),
    reportedTcb: tcbText(tcbs.reported),
    committedTcb: tcbText(tcbs.committed),
    currentTcb: tcbText(tcbs.current),
    launchTcb: tcbText(tcbs.launch),
    smtAllowed: report.policy.smtAllowed,
    smtEnabled: report.platformInfo.smtEnabled,
    firmware: report.currentFirmware,
    ...(mrConfig
      ? { composeHash: mrConfig.composeHash, appId: mrConfig.appId, instanceId: mrConfig.instanceId }
      : {}),
  };
}

const tcbText = (tcb: SnpTcb): string =>
  Object.entries(tcb)
    .filter(([, value]) => value !== null)
    .map(([part, value]) => `${part} ${String(value)}`)
    .join(", ");

const uncheckedOf = ({ mrConfig, revocation, tcbFloor, platformId }: SnpVerification): string[] => [
  ...(mrConfig ? [] : ["which app runs: HOST_DATA may bind a document that says so, and none came along"]),
  ...(revocation === "unchecked" ? ["whether AMD revoked its CAs: no list was given"] : []),
  ...(tcbFloor === "unchecked"
    ? ["whether this firmware is too old: AMD signs no levels, and no lowest version was given"]
    : []),
  ...(platformId === null ? ["which machine it is: the host masks its chip id"] : []),
];
