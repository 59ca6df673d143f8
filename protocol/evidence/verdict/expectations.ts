import { Checklist } from "../EvidenceError.ts";
import type { Expectation, Verdict } from "./Verdict.ts";

/**
 * Holds a verdict to what the caller expects. A fact that the evidence does not have is not met.
 * @throws EvidenceError `evidence/expected-report-data`, `evidence/expected-fact`.
 */
export function meet(verdict: Verdict, { reportData, facts = {} }: Expectation): Verdict {
  const list = new Checklist(verdict.checks);
  if (reportData !== undefined) {
    list.require(verdict.reportData === reportData, "expected-report-data", "this report data", {
      expected: reportData,
      actual: verdict.reportData,
    });
  }
  for (const [name, expected] of Object.entries(facts)) {
    const actual = Object.hasOwn(verdict.facts, name) ? verdict.facts[name] : undefined;
    list.require(
      actual !== undefined && JSON.stringify(actual) === JSON.stringify(expected),
      "expected-fact",
      `this ${name}`,
      { name, expected, actual },
    );
  }
  return { ...verdict, checks: list.checks };
}
