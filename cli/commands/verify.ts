import type { Command } from "commander";

import {
  bootInfoOf,
  EvidenceError,
  readEvidence,
  verifyEvidence,
  verifyFiles,
  withBootLog,
  type AnyEvidence,
  type VerifyAnyOptions,
} from "../../protocol/evidence/index.ts";
import type { BootInfo } from "../../protocol/policy/bootInfo.ts";
import { toHex } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes } from "../support/context.ts";
import { gpuFiles, verifyOptions, type EvidenceOptions } from "../support/evidenceOptions.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { checksText, gpuClaimText, times, verdictText } from "../support/verdictText.ts";

interface VerifyCommandOptions extends EvidenceOptions {
  readonly bootInfo?: boolean;
  readonly ccel?: string;
  readonly explain?: boolean;
  readonly gpu?: string;
  readonly nras?: string;
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
      "--amd-minimum-tcb <file>",
      "lowest accepted security versions by product (JSON); below them, or of a product left out: OutOfDate",
    )
    .option("--gpu <file>", "GPU reports that this evidence's guest vouches for: a claim of its own")
    .option("--nras <file>", "the same by a token of NVIDIA's service (with --nras-keys)")
    .option(
      "--ccel <file>",
      "boot log of a TD (/sys/firmware/acpi/tables/data/CCEL), held to the quote's RTMRs",
    )
    .option("--driver-rim <file>", "NVIDIA's manifest of the GPU's driver")
    .option("--vbios-rim <file>", "NVIDIA's manifest of the GPU's VBIOS")
    .option(
      "--ocsp <file>",
      "OCSP response (DER) about certificates of GPUs and manifests' signers (repeatable)",
      several,
    )
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
      const judged = verifyOptions(options);
      const given = { evidence, ...gpuOf(options), ...gpuFiles(options) };
      const explain = options.explain ?? false;
      try {
        const { verdict, gpuClaim } = await verifyFiles(given, judged);
        const bootInfo = options.bootInfo ? await bootInfoFor(evidence, judged) : undefined;
        const { facts, ...rest } = verdict;
        out.result(
          {
            ...times(rest),
            ...facts,
            facts,
            ...(gpuClaim ? { gpuClaim: times(gpuClaim) } : {}),
            ...(bootInfo ? { bootInfo } : {}),
          },
          [
            verdictText(verdict, explain),
            ...(gpuClaim ? [gpuClaimText(gpuClaim, explain)] : []),
            ...(bootInfo ? [`boot info\n${JSON.stringify(bootInfo, null, 2)}`] : []),
          ].join("\n\n"),
        );
      } catch (error) {
        if (error instanceof EvidenceError && !out.json) console.error(checksText(error.checks, explain));
        throw error;
      }
    });
}

/** What the guest vouches for. @throws CliError usage, and what `readEvidence` throws. */
function gpuOf({ gpu, nras }: VerifyCommandOptions): { readonly gpu?: AnyEvidence } {
  if (gpu !== undefined && nras !== undefined)
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --gpu or --nras, not both");
  const file = gpu ?? nras;
  if (file === undefined) return {};
  const read = readEvidence(readBytes(file));
  const expected = gpu === undefined ? "nras" : "gpu";
  if (read.kind !== expected) {
    const details = { expected, actual: read.kind, file };
    throw new CliError(ExitCode.Usage, "cli/usage", `expected other evidence as --${expected}`, details);
  }
  return { gpu: read };
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
