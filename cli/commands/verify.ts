import type { Command } from "commander";
import { z } from "zod";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import {
  bootInfoOf,
  EvidenceError,
  INTEL_ROOT,
  parseCollateral,
  testRootFromPem,
  verifyEvidence,
  verifyTdx,
  type Check,
  type Evidence,
  type TdxVerification,
  type VerifyOptions,
} from "../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../protocol/words/enums.ts";
import { toHex } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes, readText } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";

interface VerifyCommandOptions {
  readonly collateral: string;
  readonly at?: string;
  readonly root?: string;
  readonly bootInfo?: boolean;
}

/** `charter verify <evidence>`: offline; nothing but the files given is read. */
export function addVerifyCommand(program: Command): void {
  program
    .command("verify")
    .description("verify evidence: dstack's quote report, Charter's evidence JSON, or a raw TDX quote")
    .argument("<evidence>", "file")
    .requiredOption("--collateral <file>", "Intel's collateral (JSON)")
    .option("--at <time>", "judge at this ISO time (default: now)")
    .option("--root <file>", "PEM of a test root, for development evidence; Intel's root then does not count")
    .option("--boot-info", "also print dstack's boot info")
    .action(async (file: string, options: VerifyCommandOptions, command: Command) => {
      const { out } = contextOf(command);
      const verify: VerifyOptions = {
        collateral: parseCollateral(parseJson(readText(options.collateral), options.collateral)),
        at: options.at === undefined ? Math.floor(Date.now() / 1000) : parseTime(options.at),
        crypto: nodeCrypto,
        roots: [options.root ? testRootFromPem(readText(options.root)) : INTEL_ROOT],
      };
      const input = readBytes(file);
      const evidence = asEvidence(input, file);
      try {
        if (evidence) {
          const verified = await verifyEvidence(evidence, verify);
          const bootInfo = options.bootInfo ? await bootInfoOf(verified, nodeCrypto) : undefined;
          const facts = { ...tdxFacts(verified.tdx), ...evidenceFacts(verified) };
          const boot = bootInfo ? `\n\nboot info\n${JSON.stringify(bootInfo, null, 2)}` : "";
          out.result(
            { ...facts, checks: verified.checks, ...(bootInfo ? { bootInfo } : {}) },
            `${factsText(facts)}\n\n${checksText(verified.checks)}${boot}`,
          );
        } else {
          if (options.bootInfo)
            throw new CliError(ExitCode.Usage, "cli/usage", "boot info needs an event log");
          const verified = await verifyTdx(input, verify);
          const facts = tdxFacts(verified);
          out.result(
            { ...facts, checks: verified.checks },
            `${factsText(facts)}\n\n${checksText(verified.checks)}`,
          );
        }
      } catch (error) {
        if (error instanceof EvidenceError && !out.json) console.error(checksText(error.checks));
        throw error;
      }
    });
}

function tdxFacts(tdx: TdxVerification): Record<string, unknown> {
  const { report } = tdx;
  return {
    status: nameOf(TcbStatus, tdx.status),
    advisoryIds: tdx.advisoryIds,
    root: tdx.root,
    simulated: tdx.simulated,
    platformId: tdx.platformId,
    fmspc: tdx.fmspc,
    validFrom: timeText(tdx.validFrom),
    validUntil: timeText(tdx.validUntil),
    mrTd: toHex(report.mrTd),
    rtmr0: toHex(report.rtmrs[0]),
    rtmr1: toHex(report.rtmrs[1]),
    rtmr2: toHex(report.rtmrs[2]),
    rtmr3: toHex(report.rtmrs[3]),
    mrConfigId: toHex(report.mrConfigId),
    reportData: toHex(report.reportData),
  };
}

type Verified = Awaited<ReturnType<typeof verifyEvidence>>;

const evidenceFacts = (verified: Verified): Record<string, unknown> => ({
  composeHash: verified.composeHash,
  appId: verified.appId,
  osImageHash: verified.osImageHash,
  measurementDigest: verified.measurementDigest,
  pinnedMeasurementDigest: verified.pinnedMeasurementDigest,
  evidenceDigest: verified.evidenceDigest,
});

function factsText(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .map(
      ([name, value]) =>
        `${name.padEnd(24)} ${Array.isArray(value) ? value.join(", ") || "none" : String(value)}`,
    )
    .join("\n");
}

const checksText = (checks: readonly Check[]): string =>
  checks.map(({ name, ok }) => `${ok ? "✓" : "✗"} ${name}`).join("\n");

const quoteReport = z.looseObject({ quote: z.string(), event_log: z.string(), vm_config: z.string() });
const evidenceJson = z.looseObject({
  kind: z.enum(["tdx", "sgx", "snp", "nitro"]),
  quote: z.string(),
  eventLog: z.string(),
  vmConfig: z.string(),
});

/** JSON of either shape → evidence; anything that does not begin with `{` is a raw quote. */
function asEvidence(input: Buffer, file: string): Evidence | undefined {
  if (input[0] !== 0x7b) return undefined;
  const json = parseJson(input.toString("utf8"), file);
  const ours = evidenceJson.safeParse(json);
  if (ours.success) return ours.data;
  const report = quoteReport.safeParse(json);
  if (report.success) {
    return {
      kind: "tdx",
      quote: report.data.quote,
      eventLog: report.data.event_log,
      vmConfig: report.data.vm_config,
    };
  }
  throw new CliError(
    ExitCode.Usage,
    "cli/evidence-format",
    "expected a quote report, evidence JSON or a raw quote",
    {
      file,
    },
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError(ExitCode.Usage, "cli/not-json", `expected JSON in ${file}`, { file });
  }
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --at as an ISO time", { at: text });
  return Math.floor(time / 1000);
}
