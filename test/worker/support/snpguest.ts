import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the security processor knows of the guest that asks, and which snpguest it asks by. */
export interface SnpguestState {
  readonly version: string;
  /** Hex of the chip's secret, launch measurement and guest policy; the TCB version that the platform has committed. */
  readonly chip: string;
  readonly measurement: string;
  readonly policy: string;
  readonly tcb: string;
  /** The VMPL that the guest runs at: a key of a lower one is refused. */
  readonly vmpl: number;
  /** What goes wrong. */
  readonly fault: "none" | "refused" | "zeros" | "short" | "nothing" | "flood";
}

const STATE: SnpguestState = {
  version: "0.10.0",
  chip: "c1",
  measurement: "e1",
  policy: "30000",
  tcb: "1",
  vmpl: 0,
  fault: "none",
};
const DOUBLE = fileURLToPath(new URL("./snpguestDouble.mjs", import.meta.url));

/** Writes an executable `snpguest` for a security processor in this state, and gives its path. */
export function makeSnpguest(dir: string, state: Partial<SnpguestState> = {}): string {
  const path = join(dir, "snpguest");
  writeFileSync(join(dir, "snpguest.json"), JSON.stringify({ ...STATE, ...state }));
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${DOUBLE}" "${dir}" "$@"\n`);
  chmodSync(path, 0o700);
  return path;
}

/** How it was called for keys, a line for each. */
export function snpguestCalls(dir: string): string[] {
  const log = join(dir, "snpguest.log");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
}
