import { TcbStatus, type TcbStatusName } from "../../words/enums.ts";
import { equalBytes, matchesMasked } from "../../words/bytes.ts";
import type { EnclaveReport } from "./enclaveReport.ts";
import type { PckExtensions } from "./pckExtensions.ts";
import type { IsvLevel, TcbInfo, TdxTcbInfo } from "./tcbSchemas.ts";
import type { TdReport } from "./tdReport.ts";

export interface JudgedLevel {
  readonly status: TcbStatusName;
  readonly advisoryIds: readonly string[];
}

/**
 * The platform's TCB level (Intel TCB info specification, "Determining TCB status"): the first level, best first, whose
 * SGX components, PCESVN and TDX components are all reached. When the module version (TEE TCB SVN byte 1) is above
 * zero, bytes 0 and 1 speak of the module, which its own identity judges, so components count from index 2.
 */
export function platformLevel(
  tcbInfo: TcbInfo,
  pck: PckExtensions,
  report: TdReport | EnclaveReport,
): JudgedLevel | undefined {
  const level = tcbInfo.tcbLevels.find(
    ({ tcb }) =>
      tcb.sgxtcbcomponents.every((svn, i) => (pck.sgxSvns[i] ?? -1) >= svn) &&
      pck.pceSvn >= tcb.pcesvn &&
      reachesTdx(report, tcb.tdxtcbcomponents),
  );
  return level && { status: level.tcbStatus, advisoryIds: level.advisoryIDs };
}

/** An enclave is judged by SGX components alone; a TD by its own as well, and never without them. */
function reachesTdx(report: TdReport | EnclaveReport, components: readonly number[] | undefined): boolean {
  if (report.kind === "sgx") return components === undefined;
  const first = (report.teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  return components?.every((svn, i) => i < first || (report.teeTcbSvn[i] ?? -1) >= svn) ?? false;
}

/** First level, best first, whose ISV SVN is reached. */
export function isvLevel(levels: readonly IsvLevel[], isvSvn: number): JudgedLevel | undefined {
  const level = levels.find(({ tcb }) => isvSvn >= tcb.isvsvn);
  return level && { status: level.tcbStatus, advisoryIds: level.advisoryIDs };
}

/**
 * The TDX module: signer and attributes against its identity, its SVN (TEE TCB SVN byte 0) against that identity's
 * levels. Module version 0 has no identity of its own: the document's `tdxModule` fields are its identity and the
 * platform level judges its SVN.
 */
export function moduleLevel(
  tcbInfo: TdxTcbInfo,
  report: TdReport,
): { readonly id: string; readonly matches: boolean; readonly level: JudgedLevel | undefined } {
  const version = report.teeTcbSvn[1] ?? 0;
  const id = `TDX_${version.toString(16).toUpperCase().padStart(2, "0")}`;
  const own = tcbInfo.tdxModuleIdentities.find((entry) => entry.id === id);
  const identity = version === 0 ? tcbInfo.tdxModule : own;
  if (!identity) return { id, matches: false, level: undefined };
  const matches =
    equalBytes(identity.mrsigner, report.mrSignerSeam) &&
    matchesMasked(report.seamAttributes, identity.attributesMask, identity.attributes);
  const level: JudgedLevel | undefined =
    version !== 0 && own
      ? isvLevel(own.tcbLevels, report.teeTcbSvn[0] ?? 0)
      : { status: "UpToDate", advisoryIds: [] };
  return { id, matches, level };
}

/**
 * Platform status together with the quoting enclave's and the module's (Intel QVL, TCB status convergence): something
 * out of date makes the whole out of date, something revoked makes it revoked.
 */
export function converge(platform: TcbStatusName, others: readonly TcbStatusName[]): TcbStatus {
  if (platform === "Revoked" || others.includes("Revoked")) return TcbStatus.Revoked;
  // QE and module levels know UpToDate, OutOfDate and Revoked; anything else is treated as out of date.
  if (others.every((status) => status === "UpToDate")) return TcbStatus[platform];
  const needsConfiguration =
    platform === "ConfigurationNeeded" ||
    platform === "ConfigurationAndSWHardeningNeeded" ||
    platform === "OutOfDateConfigurationNeeded";
  return needsConfiguration ? TcbStatus.OutOfDateConfigurationNeeded : TcbStatus.OutOfDate;
}
