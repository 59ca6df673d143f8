import { execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** A fixed search path: nothing of the agent's environment reaches Compose. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } as const;

/** Runs a program of the container engine and gives its stdout. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<string>;

/** All that a program of the container engine gets: where programs are, and which engine to ask. */
export const engineEnvironment = (engineSocket?: string): Readonly<Record<string, string>> => ({
  ...ENVIRONMENT,
  ...(engineSocket === undefined ? {} : { DOCKER_HOST: `unix://${engineSocket}` }),
});

/**
 * Commands for one engine.
 * @param engineSocket path of its unix socket; Docker's own default where there is none.
 * @throws (from what it returns) CharterError `compose/command-failed` with the end of what it wrote to stderr.
 */
export const commandsOf =
  (engineSocket?: string): RunCommand =>
  (program, args, { cwd, timeoutMs, signal }) =>
    new Promise((done, fail) => {
      const env = engineEnvironment(engineSocket);
      execFile(
        program,
        [...args],
        { cwd, env, timeout: timeoutMs, maxBuffer: 4 * 1_048_576, ...(signal ? { signal } : {}) },
        (error, stdout, stderr) => {
          if (!error) return done(stdout);
          const details = { program, args, exit: error.code ?? null, stderr: stderr.slice(-2_000) };
          fail(new CharterError("compose/command-failed", `${program} failed`, details, { cause: error }));
        },
      );
    });

/** Commands for the engine that Docker asks by default. */
export const runCommand: RunCommand = commandsOf();

/** What a program writes to stdout, as it comes, until it ends or the signal is given. */
export function streamCommand(
  [program, ...args]: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly engineSocket?: string | undefined; readonly signal: AbortSignal },
): Readable {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: engineEnvironment(options.engineSocket),
    stdio: ["ignore", "pipe", "ignore"],
    signal: options.signal,
  });
  child.on("error", () => child.stdout.destroy());
  return child.stdout;
}
