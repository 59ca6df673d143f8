import type { Command } from "commander";

import { forecast, type Forecast } from "../../protocol/evidence/forecast.ts";
import { parseCollateral, readEvidence } from "../../protocol/evidence/index.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes } from "../support/context.ts";
import { verifyOptions } from "../support/evidenceOptions.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { readJson } from "../support/jsonFile.ts";
import { addCollateralChainCommands } from "./collateralChain.ts";
import { table, timeText } from "../support/output.ts";

interface CheckOptions {
  readonly collateral: string;
  readonly nextCollateral?: string;
  readonly at?: string;
  readonly days: string;
  readonly root?: readonly string[];
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
    .argument("<evidence...>", "files: TDX or SGX quotes, evidence or quote reports as JSON")
    .requiredOption("--collateral <file>", "Intel's collateral (JSON)")
    .option("--next-collateral <file>", "the set that Intel announces (update=early): judged as well")
    .option("--at <time>", "judge at this ISO time (default: now)")
    .option("--days <number>", "how far to look ahead", "7")
    .option("--root <file>", "PEM of a test root; Intel's own then does not count (repeatable)", several)
    .action(async (files: string[], options: CheckOptions, command: Command) => {
      const { out } = contextOf(command);
      const until = parseDays(options.days);
      const { at, crypto, roots, collateral: { intel } = {} } = verifyOptions(options);
      if (!intel) throw new CliError(ExitCode.Usage, "cli/usage", "expected --collateral");
      const next = options.nextCollateral ? parseCollateral(readJson(options.nextCollateral)) : undefined;
      const platforms = await Promise.all(
        files.map(async (file) => {
          const evidence = readEvidence(readBytes(file));
          if (evidence.kind !== "dcap") {
            throw new CliError(ExitCode.Usage, "cli/usage", "expected evidence of TDX or SGX", { file });
          }
          const seen = await forecast(evidence.quote, {
            collateral: intel,
            at,
            crypto,
            ...(next ? { next } : {}),
            ...(roots ? { roots } : {}),
          });
          return { file, ...seen, trouble: troubleOf(seen, at + until * DAY) };
        }),
      );
      const rows = platforms.map(({ file, platformId, kind, now, next: later, endings, trouble }) => [
        file,
        kind,
        platformId === null ? "unknown" : `${platformId.slice(0, 12)}…`,
        now.status ?? `refused: ${now.refusedBy ?? ""}`,
        later === null ? "not given" : (later.status ?? `refused: ${later.refusedBy ?? ""}`),
        endings[0] ? `${timeText(endings[0].at)} ${endings[0].what}` : "nothing",
        trouble.join("; ") || "none",
      ]);
      const headers = ["evidence", "kind", "platform", "today", "next set", "first to end", "trouble"];
      out.result({ at, days: until, platforms }, table(headers, rows));
      if (platforms.some(({ trouble }) => trouble.length > 0)) process.exitCode = ExitCode.NotVerified;
    });
}

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
