/**
 * `npm test`: every suite, two at a time where the machine has two cores (`--lanes 1` for one after another), with counts
 * and minutes against the committed budget (test/budget.json). `npm test -- --only relayer,cli` runs some. Exits 1 when
 * any suite failed.
 */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

import type { SuiteResult } from "./testing/runSuite.ts";
import { runSuites } from "./testing/runSuites.ts";
import { SUITES } from "./testing/suites.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, lanes: { type: "string" } } });
const lanes = values.lanes === undefined ? Math.min(2, availableParallelism()) : Number(values.lanes);
if (!Number.isInteger(lanes) || lanes < 1) {
  console.error(`--lanes takes a whole number from 1 on, not ${values.lanes}`);
  process.exit(64);
}
const wanted = values.only?.split(",");
const unknown = wanted?.filter((name) => !SUITES.some((suite) => suite.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(
    `unknown suite ${unknown.join(", ")}; expected some of ${SUITES.map((suite) => suite.name).join(",")}`,
  );
  process.exit(64);
}

const budget = JSON.parse(readFileSync(new URL("../test/budget.json", import.meta.url), "utf8")) as Record<
  string,
  number
>;
if (!existsSync(new URL("../../shared/vectors/README.md", import.meta.url))) {
  console.log("skipped: real hardware vectors: ../shared/vectors is absent beside this checkout");
}

const startedAt = performance.now();
const results = await runSuites(
  SUITES.filter((candidate) => wanted?.includes(candidate.name) ?? true),
  lanes,
);

console.log(`\n${"suite".padEnd(12)} ${"".padEnd(6)} passed failed skipped minutes budget`);
for (const result of results) {
  const limit = budget[result.name];
  const over = limit !== undefined && result.minutes > limit ? "  over budget" : "";
  console.log(
    [
      result.name.padEnd(12),
      (result.ok ? "ok" : "FAILED").padEnd(6),
      String(result.passed).padStart(6),
      String(result.failed).padStart(6),
      String(result.skipped.length).padStart(7),
      result.minutes.toFixed(2).padStart(7),
      (limit?.toFixed(1) ?? "-").padStart(6) + over,
    ].join(" "),
  );
}
const skipped = results.flatMap((result) => result.skipped.map((what) => `${result.name}: ${what}`));
if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((what) => `  ${what}`).join("\n")}`);

const sum = (pick: (result: SuiteResult) => number): number =>
  results.reduce((total, result) => total + pick(result), 0);
console.log(`\n${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes, ${lanes} at a time`);
console.log(`${sum((r) => r.passed)} passed, ${sum((r) => r.failed)} failed, ${skipped.length} skipped`);
if (results.some((result) => !result.ok)) process.exitCode = 1;
