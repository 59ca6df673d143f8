import { recoverTypedDataAddress } from "viem";

import { closedBy } from "../../protocol/placement/closedNode.ts";
import {
  nodeReportMessageSchema,
  nodeReportSchema,
  nodeReportTypedData,
  outlookAnswerSchema,
  type NodeReport,
  type Outlook,
} from "../../protocol/session/nodeReport.ts";
import { gpuText, outlookText } from "../../protocol/session/nodeReportText.ts";
import { parseStrictJson } from "../../protocol/words/strictJson.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { timeText } from "./output.ts";
import { refusal, relayerFetch } from "./publish.ts";

/** What a node last said of itself, by its own key, and when by its clock (unix seconds). */
export interface SignedReport extends NodeReport {
  readonly reportedAt: number;
  /** Why it takes on nothing new; null where it does. */
  readonly closed: string | null;
}

/**
 * A node's last report that the relayer has; null where it has none. Its key's signature is checked here.
 * @throws CliError `node/report-unsigned`, `relayer/…`.
 */
export async function readReport(context: Context, key: string): Promise<SignedReport | null> {
  const response = await relayerFetch(context, `/nodes/${key}/report`);
  if (!response.ok) {
    const refused = await refusal(response);
    if (refused.code === "report/unknown") return null;
    throw refused;
  }
  const message = nodeReportMessageSchema.safeParse(await response.json().catch(() => null));
  if (!message.success) throw malformed();
  const { signature, ...said } = message.data;
  const { chainId, nodeRegistry } = context.deployment();
  const typed = nodeReportTypedData(chainId, nodeRegistry, said);
  const signer = await recoverTypedDataAddress({ ...typed, signature }).catch(() => undefined);
  if (signer?.toLowerCase() !== key.toLowerCase()) {
    throw new CliError(ExitCode.NotVerified, "node/report-unsigned", "a report is not its node's word", {
      expected: key,
      actual: signer?.toLowerCase(),
    });
  }
  const report = nodeReportSchema.safeParse(parseStrictJson(said.report, "a node's report"));
  if (!report.success) throw malformed();
  return { ...report.data, reportedAt: said.at, closed: closedBy(report.data)?.reason ?? null };
}

/** What the relayer foresees for a node's evidence: its own word. Null where it has not looked. @throws CliError. */
export async function readOutlook(context: Context, key: string): Promise<Outlook | null> {
  const response = await relayerFetch(context, `/nodes/${key}/outlook`);
  if (!response.ok) {
    const refused = await refusal(response);
    if (refused.code === "node/unknown") return null; // Retired, or newer than the relayer's final block.
    throw refused;
  }
  const parsed = outlookAnswerSchema.safeParse(await response.json().catch(() => null));
  if (!parsed.success) throw malformed();
  return parsed.data.outlook;
}

const malformed = (): CliError =>
  new CliError(
    ExitCode.Refused,
    "relayer/malformed-answer",
    "the relayer's answer has another shape than documented",
  );

/** In few words, for a table. */
export const reportBrief = (report: SignedReport | null): string => {
  if (report === null) return "nothing";
  const { capacity, apps, closed, trouble } = report;
  const slots = `${apps?.length ?? "?"} of ${capacity.maxGuests ?? "any"} slots`;
  const codes = trouble.map(({ code }) => code).filter((code) => code !== closed);
  return [slots, ...(closed === null ? [] : [`takes on nothing: ${closed}`]), ...codes].join("; ");
};

/** For people. */
export function reportText(report: SignedReport | null, outlook: Outlook | null): string {
  return [...(report === null ? ["reported     nothing"] : saidText(report)), ...foreseenText(outlook)].join(
    "\n",
  );
}

function saidText({ capacity, reportedAt, closed, ...report }: SignedReport): string[] {
  const { cpus, memoryMb, diskMb, diskFreeMb, maxGuests } = capacity;
  return [
    `reported     ${timeText(reportedAt)}: ${closed === null ? "takes on more" : `takes on nothing new (${closed})`}`,
    `capacity     ${cpus} processors, ${memoryMb} MB of memory, ${diskFreeMb} of ${diskMb} MB of disk free`,
    `slots        ${report.apps?.length ?? "not known yet"} of ${maxGuests ?? "as many as are placed"}, ` +
      `${report.guests} guests run`,
    ...report.tees.map(
      ({ kind, source, isUsable }) => `source       ${kind} by ${source}${isUsable ? "" : " (not usable)"}`,
    ),
    ...report.gpus.map((gpu) => `GPU          ${gpuText(gpu)}`),
    ...report.trouble.map(({ code, note }) => `trouble      ${code}: ${note}`),
  ];
}

function foreseenText(outlook: Outlook | null): string[] {
  if (outlook === null) return ["outlook      the relayer has not looked yet"];
  if (outlook.trouble.length === 0) return ["outlook      nothing ends within a week"];
  return outlook.trouble.map((one) => `outlook      ${outlookText(one)}`);
}
