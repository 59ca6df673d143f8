import type { Command } from "commander";

import {
  bootInfoOf,
  EvidenceError,
  readEvidence,
  verify,
  verifyEvidence,
  withBootLog,
  type AnyEvidence,
  type Check,
  type Verdict,
  type VerifyAnyOptions,
} from "../../protocol/evidence/index.ts";
import { EXPLANATIONS } from "../../protocol/evidence/verdict/explanations.ts";
import type { BootInfo } from "../../protocol/policy/bootInfo.ts";
import { toHex } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes } from "../support/context.ts";
import { verifyOptions, type EvidenceOptions } from "../support/evidenceOptions.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";

interface VerifyCommandOptions extends EvidenceOptions {
  readonly bootInfo?: boolean;
  readonly ccel?: string;
  readonly explain?: boolean;
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `charter verify <evidence>`: offline; nothing but the files given is read. */
export function addVerifyCommand(program: Command): void {
  program
    .command("verify")
    .description("verify evidence of any kind; what it is shows by itself (docs/evidence.md)")
    .argument(
      "<evidence>",
      "file: a quote, evidence or quote report as JSON, an SNP report, a Nitro document, GPU reports, a token",
    )
    .option("--collateral <file>", "Intel's collateral (JSON): required for TDX and SGX")
    .option(
      "--amd-certificates <file>",
      "PEM of VCEK (or VLEK), ASK and ARK, for an SNP report without its own",
    )
    .option("--amd-crl <file>", "revocation list of the ARK, DER (repeatable)", several)
    .option(
      "--ccel <file>",
      "boot log of a TD (/sys/firmware/acpi/tables/data/CCEL), held to the quote's RTMRs",
    )
    .option("--driver-rim <file>", "NVIDIA's manifest of the GPU's driver")
    .option("--vbios-rim <file>", "NVIDIA's manifest of the GPU's VBIOS")
    .option("--nras-keys <file>", "key set of NVIDIA's service (JWKS), for its tokens")
    .option("--nras-issuer <url>", "issuer that the key set speaks for (default: NVIDIA's)")
    .option("--at <time>", "judge at this ISO time (default: now)")
    .option("--root <file>", "PEM of a test root; the vendors' own then do not count (repeatable)", several)
    .option("--report-data <hex>", "what must be bound in the evidence: report data, or a GPU's nonce")
    .option("--max-age <seconds>", "oldest evidence that will do, where it says when it was made (Nitro)")
    .option("--expect <name=value>", "a fact that must hold, e.g. composeHash=0x… (repeatable)", several)
    .option("--boot-info", "also print dstack's boot info")
    .option("--explain", "say what each check means, and what it looked at")
    .action(async (file: string, options: VerifyCommandOptions, command: Command) => {
      const { out } = contextOf(command);
      const evidence = evidenceOf(file, options);
      requireOptionsFor(evidence, options);
      const judged = await verifyOptions(options);
      const explain = options.explain ?? false;
      try {
        const verdict = await verify(evidence, judged);
        const bootInfo = options.bootInfo ? await bootInfoFor(evidence, judged) : undefined;
        const boot = bootInfo ? `\n\nboot info\n${JSON.stringify(bootInfo, null, 2)}` : "";
        const { facts, ...rest } = verdict;
        out.result(
          { ...times(rest), ...facts, facts, ...(bootInfo ? { bootInfo } : {}) },
          `${factsText(verdict)}\n\n${checksText(verdict.checks, explain)}${uncheckedText(verdict)}${boot}`,
        );
      } catch (error) {
        if (error instanceof EvidenceError && !out.json) console.error(checksText(error.checks, explain));
        throw error;
      }
    });
}

function evidenceOf(file: string, { ccel }: VerifyCommandOptions): AnyEvidence {
  const evidence = readEvidence(readBytes(file));
  return ccel === undefined ? evidence : withBootLog(evidence, readBytes(ccel));
}

function requireOptionsFor(evidence: AnyEvidence, { collateral, bootInfo }: VerifyCommandOptions): void {
  if (evidence.kind === "dcap" && collateral === undefined) {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "a quote is judged by Intel's collateral: expected --collateral",
    );
  }
  if (bootInfo && !(evidence.kind === "dcap" && evidence.guest)) {
    throw new CliError(ExitCode.Usage, "cli/usage", "boot info needs a TDX quote with its event log");
  }
}

async function bootInfoFor(evidence: AnyEvidence, options: VerifyAnyOptions): Promise<BootInfo | undefined> {
  const intel = options.collateral?.intel;
  if (evidence.kind !== "dcap" || !evidence.guest || !intel) return undefined;
  const { at, crypto, roots } = options;
  const quote = toHex(evidence.quote);
  const judged = { at, crypto, collateral: intel, ...(roots ? { roots } : {}) };
  return bootInfoOf(await verifyEvidence({ kind: "tdx", quote, ...evidence.guest }, judged), crypto);
}

/** Times as people read them. */
const times = <T extends Pick<Verdict, "validFrom" | "validUntil">>(verdict: T) => ({
  ...verdict,
  validFrom: timeText(verdict.validFrom),
  validUntil: timeText(verdict.validUntil),
});

function factsText({ facts, checks: _checks, unchecked: _unchecked, ...rest }: Verdict): string {
  return Object.entries({ ...times(rest), ...facts })
    .map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(", ") || "none" : String(value ?? "none");
      return `${name.padEnd(24)} ${text}`;
    })
    .join("\n");
}

function checksText(checks: readonly Check[], explain: boolean): string {
  return checks
    .map(({ name, ok, detail }) => {
      const line = `${ok ? "✓" : "✗"} ${name}`;
      const explanation = EXPLANATIONS[name];
      const looked = Object.keys(detail).length > 0 ? `\n    looked at ${JSON.stringify(detail)}` : "";
      const means = explanation ? `\n    ${explanation.says} (${explanation.source})` : "";
      return explain ? line + means + looked : line;
    })
    .join("\n");
}

const uncheckedText = ({ unchecked }: Verdict): string =>
  unchecked.length === 0
    ? ""
    : `\n\nnot said by this evidence:\n${unchecked.map((line) => `  ${line}`).join("\n")}`;
