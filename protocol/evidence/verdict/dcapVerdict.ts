import { nameOf, TcbStatus, type TcbStatusName } from "../../words/enums.ts";
import { toHex } from "../../words/hex.ts";
import type { EnclaveReport } from "../dcap/enclaveReport.ts";
import type { TdReport } from "../dcap/tdReport.ts";
import { verifyQuote, type SgxVerification, type TdxVerification } from "../dcap/verifyQuote.ts";
import { verifyEvidence } from "../evidence.ts";
import { EvidenceError } from "../EvidenceError.ts";
import type { Fact, Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** A quote, with dstack's event log and VM configuration where there are any, and the TD's boot log (CCEL) if given. */
export interface DcapEvidence {
  readonly kind: "dcap";
  readonly quote: Uint8Array;
  readonly ccel?: Uint8Array;
  readonly guest?: { readonly eventLog: string; readonly vmConfig: string };
}

/** Verdict on a TDX or SGX quote. @throws EvidenceError; `evidence/collateral-missing` without Intel's collateral. */
export async function dcapVerdict(evidence: DcapEvidence, options: VerifyAnyOptions): Promise<Verdict> {
  const { verdict, report } = await quoteVerdict(evidence, options);
  if (evidence.ccel === undefined) return verdict;
  if (report.kind !== "tdx") {
    const detail = { actual: report.kind };
    throw new EvidenceError("quote-kind", "expected a TD's quote beside a boot log", detail, verdict.checks);
  }
  const { bootLogChecks } = await import("./bootLogChecks.ts");
  const { checks, facts } = await bootLogChecks(evidence.ccel, report, verdict.checks, options.crypto);
  return { ...verdict, checks, facts: { ...verdict.facts, ...facts } };
}

/** The verdict by quote and event log, and the report that it is on. */
interface OnReport {
  readonly verdict: Verdict;
  readonly report: TdReport | EnclaveReport;
}

async function quoteVerdict(
  { quote, guest }: DcapEvidence,
  { at, crypto, roots, collateral: { intel, minEvaluationDataNumber } = {} }: VerifyAnyOptions,
): Promise<OnReport> {
  if (!intel) {
    throw new EvidenceError(
      "collateral-missing",
      "expected Intel's collateral: quotes are judged by nothing less",
    );
  }
  const options = {
    at,
    crypto,
    collateral: intel,
    ...(roots ? { roots } : {}),
    ...(minEvaluationDataNumber === undefined ? {} : { minEvaluationDataNumber }),
  };
  if (!guest) return verdictOf(await verifyQuote(quote, options));
  const verified = await verifyEvidence({ kind: "tdx", quote: toHex(quote), ...guest }, options);
  return verdictOf(
    verified.tdx,
    {
      appId: verified.appId,
      composeHash: verified.composeHash,
      instanceId: verified.instanceId,
      osImageHash: verified.osImageHash,
      measurementDigest: verified.measurementDigest,
      pinnedMeasurementDigest: verified.pinnedMeasurementDigest,
    },
    verified.checks,
  );
}

function verdictOf(
  verified: TdxVerification | SgxVerification,
  guest?: Readonly<Record<string, Fact>>,
  checks = verified.checks,
): OnReport {
  const { report } = verified;
  const unchecked =
    report.kind === "tdx" && !guest
      ? ["which app runs: that is in an event log, and this quote came without one"]
      : [];
  const verdict: Verdict = {
    kind: verified.kind,
    status: nameOf(TcbStatus, verified.status) as TcbStatusName,
    advisoryIds: verified.advisoryIds,
    platformId: verified.platformId,
    facts: {
      ...(report.kind === "tdx" ? tdFacts(report) : enclaveFacts(report)),
      fmspc: verified.fmspc,
      evaluationDataNumber: verified.evaluationDataNumber,
      ...guest,
    },
    reportData: toHex(report.reportData),
    validFrom: verified.validFrom,
    validUntil: verified.validUntil,
    root: verified.root,
    simulated: verified.simulated,
    unchecked,
    checks,
  };
  return { verdict, report };
}

const tdFacts = (report: TdReport): Readonly<Record<string, Fact>> => ({
  tdVersion: report.version,
  mrTd: toHex(report.mrTd),
  rtmr0: toHex(report.rtmrs[0]),
  rtmr1: toHex(report.rtmrs[1]),
  rtmr2: toHex(report.rtmrs[2]),
  rtmr3: toHex(report.rtmrs[3]),
  mrConfigId: toHex(report.mrConfigId),
  mrOwner: toHex(report.mrOwner),
  mrOwnerConfig: toHex(report.mrOwnerConfig),
  mrSeam: toHex(report.mrSeam),
  teeTcbSvn: toHex(report.teeTcbSvn),
  teeTcbSvn2: report.teeTcbSvn2 && toHex(report.teeTcbSvn2),
  tdAttributes: toHex(report.tdAttributes),
});

const enclaveFacts = (report: EnclaveReport): Readonly<Record<string, Fact>> => ({
  mrEnclave: toHex(report.mrEnclave),
  mrSigner: toHex(report.mrSigner),
  isvProdId: report.isvProdId,
  isvSvn: report.isvSvn,
  configId: toHex(report.configId),
  configSvn: report.configSvn,
  isvExtProdId: toHex(report.isvExtProdId),
  isvFamilyId: toHex(report.isvFamilyId),
  attributes: toHex(report.attributes),
  cpuSvn: toHex(report.cpuSvn),
});
