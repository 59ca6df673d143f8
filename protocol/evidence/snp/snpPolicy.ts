import { equalBytes } from "../../words/bytes.ts";
import { toHex, type ComposeHash } from "../../words/hex.ts";
import type { Checklist } from "../EvidenceError.ts";
import type { SnpReport } from "./parseReport.ts";

/** What else must hold; absent members expect what their comment says. */
export interface SnpExpectation {
  /** VM privilege level that asked for the report. Default 0, the most privileged one. */
  readonly vmpl?: number;
  /** False refuses guests whose policy lets two of them share a core's threads. Default true. */
  readonly smtAllowed?: boolean;
  /** 32 bytes. Default any: the host chooses them at launch, the report binds them. */
  readonly hostData?: Uint8Array;
  /** 64 bytes. Default any: whoever knows what they must be compares the result's. */
  readonly reportData?: Uint8Array;
  /** Of the configuration document that HOST_DATA binds; without a document this is refused. Default any. */
  readonly composeHash?: ComposeHash;
}

/** Refuses guests that someone outside may read or move, and reports that are not the guest's own. */
export function requireClosedGuest(list: Checklist, report: SnpReport, expect: SnpExpectation): void {
  const { policy, platformInfo, vmpl } = report;
  const { vmpl: level = 0, smtAllowed = true } = expect;
  list.require(!policy.debugAllowed, "snp-debug", "a policy that forbids debugging");
  list.require(!policy.migrationAgentAllowed, "snp-migration", "a policy without a migration agent");
  list.require(smtAllowed || !policy.smtAllowed, "snp-smt", "a policy that forbids SMT");
  // The firmware checks at launch; a report that contradicts it is of a machine that changed under the guest.
  const isKept =
    (policy.smtAllowed || !platformInfo.smtEnabled) &&
    (!policy.raplDisableRequired || platformInfo.raplDisabled) &&
    (!policy.ciphertextHidingRequired || platformInfo.ciphertextHidingEnabled);
  list.require(isKept, "snp-platform-policy", "a platform set up as the policy demands", {
    policy,
    platformInfo,
  });
  list.require(vmpl === level, "snp-vmpl", `a report of VMPL ${level}`, { expected: level, actual: vmpl });
  const { hostData, reportData } = expect;
  if (hostData) {
    list.require(equalBytes(report.hostData, hostData), "snp-host-data", "this HOST_DATA", {
      expected: toHex(hostData),
      actual: toHex(report.hostData),
    });
  }
  if (reportData) {
    list.require(equalBytes(report.reportData, reportData), "snp-report-data", "this report data", {
      expected: toHex(reportData),
      actual: toHex(report.reportData),
    });
  }
}
