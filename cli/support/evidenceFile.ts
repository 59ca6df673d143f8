import { z } from "zod";

import type { Evidence } from "../../protocol/evidence/index.ts";
import { CliError } from "./CliError.ts";
import { readBytes } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

/** Evidence with its event log, or a quote alone. */
export type EvidenceFile =
  | { readonly form: "evidence"; readonly evidence: Evidence }
  | { readonly form: "quote"; readonly quote: Uint8Array };

/** dstack's `quote-report.json` and Charter's own; both may carry more than is judged. */
const quoteReport = z.looseObject({ quote: z.string(), event_log: z.string(), vm_config: z.string() });
const evidenceJson = z.looseObject({
  kind: z.enum(["tdx", "sgx", "snp", "nitro"]),
  quote: z.string(),
  eventLog: z.string(),
  vmConfig: z.string(),
});

const OPEN_BRACE = 0x7b;

/** Reads evidence in any form that we know: JSON of either shape, else a quote as bytes or as hex. */
export function readEvidence(path: string): EvidenceFile {
  const bytes = readBytes(path);
  const text = bytes.toString("latin1").trim();
  if (text.charCodeAt(0) !== OPEN_BRACE) {
    const isHex = /^(?:0x)?(?:[0-9a-fA-F]{2})+$/.test(text);
    return { form: "quote", quote: isHex ? Buffer.from(text.replace(/^0x/, ""), "hex") : bytes };
  }
  const json = parseJsonFile(bytes.toString("utf8"), path);
  const ours = evidenceJson.safeParse(json);
  if (ours.success) return { form: "evidence", evidence: ours.data };
  const report = quoteReport.safeParse(json);
  if (report.success) {
    const { quote, event_log: eventLog, vm_config: vmConfig } = report.data;
    return { form: "evidence", evidence: { kind: "tdx", quote, eventLog, vmConfig } };
  }
  throw new CliError(
    ExitCode.Usage,
    "cli/evidence-format",
    "expected a quote report, evidence JSON or a raw quote",
    { path },
  );
}

/** JSON of a file. @throws CliError `cli/not-json`. */
export function parseJsonFile(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError(ExitCode.Usage, "cli/not-json", `expected JSON in ${path}`, { path });
  }
}
