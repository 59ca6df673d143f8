import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Nothing of the guest's environment; cryptsetup waits for udev only where there is one. */
export const luksEnvironment = (): Readonly<Record<string, string>> => ({
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
  ...(existsSync("/run/udev/control") ? {} : { DM_DISABLE_UDEV: "1" }),
});

const STEP_MS = 60_000;
const MAX_STDOUT = 65_536;
const MAX_STDERR = 2_000;

/**
 * Runs one program of a volume's way to its end, and gives what it printed.
 * @throws (from what it returns) CharterError `storage/failed` with the program, its exit and the end of what it said.
 */
export type RunStep = (
  program: string,
  args: readonly string[],
  options?: {
    /** Written to its standard input: the passphrase goes by this pipe only. */
    readonly input?: string;
    /** What it may take beyond a minute. */
    readonly addMs?: number;
  },
) => Promise<string>;

/** @param lock held, shared, while a program runs: what closes the volume waits for it, even when we are gone. */
export const luksSteps =
  (lock: string, signal?: AbortSignal): RunStep =>
  async (program, args, { input = "", addMs = 0 } = {}) => {
    const child = spawn("flock", ["--shared", "--no-fork", lock, program, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: luksEnvironment(),
      timeout: STEP_MS + addMs,
      ...(signal ? { signal } : {}),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(0, MAX_STDOUT)));
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-MAX_STDERR)));
    child.stdin.on("error", () => undefined); // It ended before it read: its exit says why.
    child.stdin.end(input);
    let failure: unknown;
    const exit = await new Promise<number | null>((done) => {
      child.once("error", (error) => ((failure = error), done(null)));
      child.once("close", done);
    });
    if (exit === 0) return stdout;
    const details = { program, step: args[0], exit, stderr };
    throw new CharterError("storage/failed", "the encrypted volume could not be opened", details, {
      cause: failure,
    });
  };
