import type { Command } from "commander";

import type { Forecast, Standing } from "../../protocol/evidence/forecast.ts";
import { CliError } from "../support/CliError.ts";
import { forecastFiles, type ForecastOptions } from "../support/collateral/forecastFile.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { table, timeText } from "../support/output.ts";
import { addCollateralChainCommands } from "./collateralChain.ts";

interface CheckOptions extends ForecastOptions {
  readonly days: string;
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
const DAY = 86_400;

/** `charter collateral check`: which platforms will fail, and when, by files alone. */
export function addCollateralCommands(program: Command): void {
  const collateral = program.command("collateral").description("what vendors publish to judge evidence by");
  addCollateralChainCommands(collateral);
  collateral
    .command("check")
    .description(
      "say what will make these platforms' evidence fail, days before; exits 3 when something will",
    )
    .argument("<evidence...>", "files, as `charter verify` takes them: of TDX, SGX, SEV-SNP, Nitro or GPUs")
    .option("--collateral <file>", "Intel's collateral (JSON): required for TDX and SGX")
    .option("--next-collateral <file>", "the set that Intel announces (update=early): judged as well")
    .option(
      "--amd-certificates <file>",
      "PEM of VCEK (or VLEK), ASK and ARK, for SNP reports without their own",
    )
    .option("--amd-crl <file>", "revocation list of the ARK, DER (repeatable)", several)
    .option("--amd-minimum-tcb <file>", "lowest accepted security versions by product (JSON)")
    .option("--amd-next-minimum-tcb <file>", "those that you are about to demand: judged as well")
    .option("--driver-rim <file>", "NVIDIA's manifest of the GPU's driver")
    .option("--vbios-rim <file>", "NVIDIA's manifest of the GPU's VBIOS")
    .option(
      "--ocsp <file>",
      "OCSP response (DER) about certificates of GPUs and manifests' signers (repeatable)",
      several,
    )
    .option("--at <time>", "judge at this ISO time (default: now)")
    .option("--days <number>", "how far to look ahead", "7")
    .option("--root <file>", "PEM of a test root; the vendors' own then do not count (repeatable)", several)
    .action(async (files: string[], options: CheckOptions, command: Command) => {
      const { out } = contextOf(command);
      const until = parseDays(options.days);
      const { at, forecastOf } = forecastFiles(options);
      const platforms = await Promise.all(
        files.map(async (file) => {
          const seen = await forecastOf(file);
          return { file, ...seen, trouble: troubleOf(seen, at + until * DAY) };
        }),
      );
      const rows = platforms.map(({ file, platformId, kind, now, next: later, endings, trouble }) => [
        file,
        kind,
        platformId === null ? "unknown" : `${platformId.slice(0, 12)}…`,
        standingText(now),
        later === null ? "not given" : standingText(later),
        endings[0] ? `${timeText(endings[0].at)} ${endings[0].what}` : "nothing",
        trouble.join("; ") || "none",
      ]);
      const headers = ["evidence", "kind", "platform", "today", "next set", "first to end", "trouble"];
      out.result({ at, days: until, platforms }, table(headers, rows));
      if (platforms.some(({ trouble }) => trouble.length > 0)) process.exitCode = ExitCode.NotVerified;
    });
}

/** Vendors without a status say that evidence holds, or nothing. */
const standingText = ({ status, refusedBy }: Standing): string =>
  refusedBy === null ? (status ?? "holds") : `refused: ${refusedBy}`;

/** What makes this platform's evidence fail, or be judged worse, before `until`. */
function troubleOf({ now, next, endings }: Forecast, until: number): string[] {
  return [
    ...(now.refusedBy === null ? [] : [`refused today: ${now.refusedBy}`]),
    ...(next === null || next.refusedBy === null ? [] : [`refused under the next set: ${next.refusedBy}`]),
    ...(next?.status && now.status && next.status !== now.status && next.status !== "UpToDate"
      ? [`${next.status} under the next set`]
      : []),
    ...endings.filter(({ at }) => at <= until).map(({ at, what }) => `${what} ends ${timeText(at)}`),
  ];
}

function parseDays(text: string): number {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new CliError(ExitCode.Usage, "cli/usage", "expected --days as a whole number", { text });
}
