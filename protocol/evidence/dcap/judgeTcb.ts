import { equalBytes, matchesMasked } from "../../words/bytes.ts";
import type { TcbStatus } from "../../words/enums.ts";
import { toHex } from "../../words/hex.ts";
import type { Checklist } from "../EvidenceError.ts";
import type { Collateral } from "./collateral.ts";
import type { Quote } from "./parseQuote.ts";
import type { PckExtensions } from "./pckExtensions.ts";
import { converge, isvLevel, moduleLevel, platformLevel, type JudgedLevel } from "./tcbLevel.ts";
import type { TdxTcbInfo } from "./tcbSchemas.ts";
import type { TdReport } from "./tdReport.ts";

/** Which documents judge which report: TCB info and QE identity each name their TEE. */
const DOCUMENTS = {
  tdx: { tcbInfo: "TDX", qeIdentity: "TD_QE" },
  sgx: { tcbInfo: "SGX", qeIdentity: "QE" },
} as const;

/** What Intel's documents say of this platform, its quoting enclave and (for a TD) its TDX module. */
export function judgeTcb(
  list: Checklist,
  quote: Quote,
  pck: PckExtensions,
  { tcbInfo: { content: tcbInfo }, qeIdentity: { content: qe } }: Collateral,
): { readonly status: TcbStatus; readonly advisoryIds: readonly string[] } {
  const { report, qeReport } = quote;
  const expected = DOCUMENTS[report.kind];
  list.require(qe.id === expected.qeIdentity, "qe-identity-kind", `the identity ${expected.qeIdentity}`, {
    actual: qe.id,
  });
  list.require(
    matchesMasked(qeReport.miscSelect, qe.miscselectMask, qe.miscselect) &&
      matchesMasked(qeReport.attributes, qe.attributesMask, qe.attributes) &&
      equalBytes(qeReport.mrSigner, qe.mrsigner) &&
      qeReport.isvProdId === qe.isvprodid,
    "qe-identity",
    "Intel's quoting enclave",
    { mrSigner: toHex(qeReport.mrSigner), isvProdId: qeReport.isvProdId },
  );
  const qeLevel = isvLevel(qe.tcbLevels, qeReport.isvSvn);
  list.require(qeLevel !== undefined, "qe-tcb", "a QE SVN that some level covers", {
    isvSvn: qeReport.isvSvn,
  });
  list.require(tcbInfo.id === expected.tcbInfo, "tcb-info-kind", `TCB info of ${expected.tcbInfo}`, {
    actual: tcbInfo.id,
  });
  list.require(
    equalBytes(tcbInfo.fmspc, pck.fmspc) && equalBytes(tcbInfo.pceId, pck.pceId),
    "tcb-info-platform",
    "TCB info of this platform's family",
    { expected: toHex(pck.fmspc), actual: toHex(tcbInfo.fmspc) },
  );
  const moduleJudged =
    report.kind === "tdx" && tcbInfo.id === "TDX" ? [judgeModule(list, tcbInfo, report)] : [];
  const platform = platformLevel(tcbInfo, pck, report);
  list.require(platform !== undefined, "platform-tcb", "SVNs that some TCB level covers", {
    sgxSvns: pck.sgxSvns,
    pceSvn: pck.pceSvn,
    ...(report.kind === "tdx" ? { teeTcbSvn: toHex(report.teeTcbSvn) } : {}),
  });
  const others = [qeLevel as JudgedLevel, ...moduleJudged];
  return {
    status: converge(
      (platform as JudgedLevel).status,
      others.map((level) => level.status),
    ),
    advisoryIds: [
      ...new Set([platform as JudgedLevel, ...others].flatMap((level) => level.advisoryIds)),
    ].sort(),
  };
}

function judgeModule(list: Checklist, tcbInfo: TdxTcbInfo, report: TdReport): JudgedLevel {
  const module = moduleLevel(tcbInfo, report);
  list.require(module.matches, "tdx-module", "a TDX module with Intel's signer and attributes", {
    module: module.id,
    mrSignerSeam: toHex(report.mrSignerSeam),
    seamAttributes: toHex(report.seamAttributes),
  });
  list.require(module.level !== undefined, "tdx-module-tcb", "a module SVN that some level covers", {
    module: module.id,
    svn: report.teeTcbSvn[0],
  });
  return module.level as JudgedLevel;
}
