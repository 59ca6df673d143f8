import type { Evidence } from "../../../protocol/evidence/index.ts";
import { clock, vectorJson } from "../../support/vectors.ts";

/** The real dstack guest of 2026-02: its evidence, Intel's collateral of that time, and when to judge. */
export const dstackVector = (): { evidence: Evidence; collateral: unknown; at: number } => {
  const report = vectorJson("tdx/dstack-2026-02/quote-report.json") as Record<
    "quote" | "event_log" | "vm_config",
    string
  >;
  return {
    evidence: {
      kind: "tdx",
      quote: report.quote,
      eventLog: report.event_log,
      vmConfig: report.vm_config,
    },
    collateral: vectorJson("tdx/dstack-2026-02/collateral.json"),
    at: clock("2026-02-18T11:58:51Z"),
  };
};
