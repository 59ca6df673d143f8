import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

/** One measured number and, where there is one, what it has to reach, e.g. `<= 0.8`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: `<= ${number}` | `>= ${number}`;
  /** Where it was measured, if not at the report's commit. */
  readonly commit?: string;
}

interface Report {
  readonly bench: string;
  readonly commit: string;
  /** Processor, cores and Node. */
  readonly machine: string;
  readonly figures: readonly Figure[];
}

const RESULTS = new URL("../results/", import.meta.url);

/** Whether a figure reaches its target. */
export function reaches({ value, target }: Figure): boolean {
  if (target === undefined) return true;
  const limit = Number(target.slice(3));
  return target.startsWith("<=") ? value <= limit : value >= limit;
}

/**
 * Writes `bench/results/<bench>.json` and prints the figures as a table. A target that is missed makes the program end with
 * exit code 1.
 */
export function writeReport(bench: string, figures: readonly Figure[]): void {
  const commit = execFileSync("git", ["rev-parse", "HEAD"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${cpus().length} cores, Node ${process.version}`;
  mkdirSync(RESULTS, { recursive: true });
  const report: Report = { bench, commit, machine, figures };
  writeFileSync(new URL(`${bench}.json`, RESULTS), `${JSON.stringify(report, null, 2)}\n`);
  const width = Math.max(...figures.map(({ name }) => name.length));
  console.log(`${bench} at ${commit.slice(0, 8)} on ${machine}`);
  for (const figure of figures) {
    const { name, value, unit, target } = figure;
    const amount = Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(3);
    const mark = reaches(figure) ? "✓" : "✗";
    const line = `${name.padEnd(width)} ${amount.padStart(12)} ${unit.padEnd(6)}`;
    const earlier = figure.commit === undefined ? "" : ` (at ${figure.commit.slice(0, 8)})`;
    console.log(
      target === undefined ? `    ${line}${earlier}` : `  ${mark} ${line} target ${target}${earlier}`,
    );
  }
  if (!figures.every(reaches)) process.exitCode = 1;
}

/** Figures of an earlier report without those whose names begin with a prefix; each says where it was measured. */
export function keptFigures(
  { commit, figures }: Pick<Report, "commit" | "figures">,
  prefix: string | readonly string[],
): Figure[] {
  return figures
    .filter(({ name }) => ![prefix].flat().some((start) => name.startsWith(start)))
    .map((figure) => ({ ...figure, commit: figure.commit ?? commit }));
}

/**
 * The same for a bench of several programs: figures whose names begin with `prefix` (or one of several) are replaced, those
 * of the other programs stay.
 */
export function addToReport(
  bench: string,
  prefix: string | readonly string[],
  figures: readonly Figure[],
): void {
  const path = new URL(`${bench}.json`, RESULTS);
  const kept = existsSync(path) ? keptFigures(JSON.parse(readFileSync(path, "utf8")) as Report, prefix) : [];
  writeReport(bench, [...kept, ...figures]);
}
