import { runSuite } from "./runSuite.ts";
import type { SuiteResult } from "./runSuite.ts";
import type { Suite } from "./suites.ts";

/**
 * Runs suites in their order, `lanes` at a time: `compile` first, beside it only what reads nothing of its making, no
 * two that compile, and beside a suite that is `alone` only what yields. Results come in the suites' order.
 */
export async function runSuites(suites: readonly Suite[], lanes: number): Promise<SuiteResult[]> {
  const waiting = [...suites];
  const running = new Map<Suite, Promise<void>>();
  const results = new Map<Suite, SuiteResult>();
  while (waiting.length > 0 || running.size > 0) {
    const next =
      running.size < lanes
        ? waiting.find((suite) => mayStart(suite, [...running.keys()], waiting))
        : undefined;
    if (next === undefined) {
      await Promise.race(running.values());
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    console.log(`\n━━ ${next.name}: ${next.shows}`);
    const run = runSuite(next).then((result) => {
      results.set(next, result);
      running.delete(next);
    });
    running.set(next, run);
  }
  return suites.map((suite) => results.get(suite) as SuiteResult);
}

/** One of the waiting may always start when nothing runs: `compile`, or else the first. */
function mayStart(suite: Suite, running: readonly Suite[], waiting: readonly Suite[]): boolean {
  const yieldsOnly = running.every(({ yields }) => yields === true);
  if (suite.alone === true && !(yieldsOnly && waiting[0] === suite)) return false;
  if (suite.yields !== true && running.some(({ alone }) => alone === true)) return false;
  if (suite.compiles === true && running.some(({ compiles }) => compiles === true)) return false;
  const isCompiled = [...running, ...waiting].every(({ name }) => name !== "compile");
  return suite.name === "compile" || suite.beforeCompile === true || isCompiled;
}
