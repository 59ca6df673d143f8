import type { DcapEvidence } from "./dcapVerdict.ts";
import { meet } from "./expectations.ts";
import type { GpuReports } from "./gpuVerdict.ts";
import type { NitroFile } from "./nitroVerdict.ts";
import type { NrasToken } from "./nrasVerdict.ts";
import type { SnpReportFile } from "./snpVerdict.ts";
import type { Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** Evidence of every kind that Charter reads, as `readEvidence` recognizes it. */
export type AnyEvidence = DcapEvidence | SnpReportFile | NitroFile | GpuReports | NrasToken;

/**
 * Verifies evidence of any kind. Pure: time, roots and collateral are arguments. Every step is named in the verdict's
 * `checks`, and what evidence of this kind cannot say is named in `unchecked`.
 * @throws EvidenceError `evidence/<check>`, with the checks so far.
 */
export async function verify(evidence: AnyEvidence, options: VerifyAnyOptions): Promise<Verdict> {
  return meet(await verdictOf(evidence, options), options.expect ?? {});
}

/** A browser loads what a kind needs when it meets it. */
async function verdictOf(evidence: AnyEvidence, options: VerifyAnyOptions): Promise<Verdict> {
  switch (evidence.kind) {
    case "dcap":
      return (await import("./dcapVerdict.ts")).dcapVerdict(evidence, options);
    case "snp":
      return (await import("./snpVerdict.ts")).snpVerdict(evidence, options);
    case "nitro":
      return (await import("./nitroVerdict.ts")).nitroVerdict(evidence, options);
    case "gpu":
      return (await import("./gpuVerdict.ts")).gpuVerdict(evidence, options);
    case "nras":
      return (await import("./nrasVerdict.ts")).nrasVerdict(evidence, options);
  }
}
