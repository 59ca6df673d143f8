import type { Command } from "commander";

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
  type TdxVerification,
  type VerifyOptions,
} from "../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../protocol/words/enums.ts";
import { toHex } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readText } from "../support/context.ts";
import { parseJsonFile, readEvidence } from "../support/evidenceFile.ts";
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
        collateral: parseCollateral(parseJsonFile(readText(options.collateral), options.collateral)),
        at: options.at === undefined ? Math.floor(Date.now() / 1000) : parseTime(options.at),
        crypto: nodeCrypto,
        roots: [options.root ? testRootFromPem(readText(options.root)) : INTEL_ROOT],
      };
      const input = readEvidence(file);
      try {
        if (input.form === "evidence") {
          const verified = await verifyEvidence(input.evidence, verify);
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
          const verified = await verifyTdx(input.quote, verify);
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

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --at as an ISO time", { at: text });
  return Math.floor(time / 1000);
}
