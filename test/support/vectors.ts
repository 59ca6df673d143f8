import { existsSync, readFileSync } from "node:fs";

const DIRECTORY = new URL("../../../shared/vectors/", import.meta.url);

/** Whether evidence of real hardware lies beside this checkout (it is not ours to ship). */
export const hasVectors = existsSync(new URL("README.md", DIRECTORY));

/** `it` for tests on real evidence; a visible skip where there is none. */
export function itOnVectors(title: string, test: Mocha.Func | Mocha.AsyncFunc): void {
  if (hasVectors) it(title, test as Mocha.AsyncFunc);
  else it.skip(title, test as Mocha.AsyncFunc);
}

/** Bytes of one vector, e.g. `vector("tdx/dcap-qvl-2025-06/quote.bin")`. */
export const vector = (path: string): Buffer => readFileSync(new URL(path, DIRECTORY));

/** A JSON vector. */
export const vectorJson = (path: string): unknown => JSON.parse(vector(path).toString("utf8"));

/** Unix seconds of an ISO time: the clock of a vector. */
export const clock = (iso: string): number => Date.parse(iso) / 1000;
