import { execFile } from "node:child_process";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** A fixed search path: nothing of the agent's environment reaches Compose. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } as const;

/** Runs a program of the container engine and gives its stdout. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<string>;

/** @throws CharterError `compose/command-failed` with the end of what it wrote to stderr. */
export const runCommand: RunCommand = (program, args, { cwd, timeoutMs, signal }) =>
  new Promise((done, fail) => {
    execFile(
      program,
      [...args],
      { cwd, env: ENVIRONMENT, timeout: timeoutMs, maxBuffer: 4 * 1_048_576, ...(signal ? { signal } : {}) },
      (error, stdout, stderr) => {
        if (!error) return done(stdout);
        const details = { program, args, exit: error.code ?? null, stderr: stderr.slice(-2_000) };
        fail(new CharterError("compose/command-failed", `${program} failed`, details, { cause: error }));
      },
    );
  });
