import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** How a run of `charter` ended. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one result of `--json`. */
  readonly result: <T = Record<string, unknown>>() => T;
  /** The one error of `--json`. */
  readonly error: () => { readonly code: string; readonly details: Record<string, unknown> };
}

/** A run by what came out of it. */
export const runOf = (exitCode: number | null, stdout: string, stderr: string): Run => ({
  exitCode,
  stdout,
  stderr,
  result: <T>() => JSON.parse(stdout) as T,
  error: () => (JSON.parse(stderr) as { error: { code: string; details: Record<string, unknown> } }).error,
});

/**
 * Runs the real command as a process of its own, with nothing of this process's environment but PATH (and the compile cache that the shim sets); `program` is
 * `cli/main.ts`, or the shim that people start.
 */
export function runCharter(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { program = "cli/main.ts", onSpawn }: { program?: string; onSpawn?: (child: ChildProcess) => void } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? "",
      NODE_COMPILE_CACHE: `${ROOT}node_modules/.cache/charter`,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onSpawn?.(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve(runOf(exitCode, stdout, stderr)));
  });
}
