import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

/** One measured number and, where there is one, what it has to reach, e.g. `<= 0.8`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: `<= ${number}` | `>= ${number}`;
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
  const report = `${JSON.stringify({ bench, commit, machine, figures }, null, 2)}\n`;
  writeFileSync(new URL(`${bench}.json`, RESULTS), report);
  const width = Math.max(...figures.map(({ name }) => name.length));
  console.log(`${bench} at ${commit.slice(0, 8)} on ${machine}`);
  for (const figure of figures) {
    const { name, value, unit, target } = figure;
    const amount = Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(3);
    const mark = reaches(figure) ? "✓" : "✗";
    const line = `${name.padEnd(width)} ${amount.padStart(12)} ${unit.padEnd(6)}`;
    console.log(target === undefined ? `    ${line}` : `  ${mark} ${line} target ${target}`);
  }
  if (!figures.every(reaches)) process.exitCode = 1;
}

/**
 * The same for a bench of several programs: figures whose names begin with `prefix` (or one of several) are replaced, those of the other
 * programs stay.
 */
export function addToReport(
  bench: string,
  prefix: string | readonly string[],
  figures: readonly Figure[],
): void {
  const path = new URL(`${bench}.json`, RESULTS);
  const kept = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as { figures: Figure[] }).figures.filter(
        ({ name }) => ![prefix].flat().some((start) => name.startsWith(start)),
      )
    : [];
  writeReport(bench, [...kept, ...figures]);
}
