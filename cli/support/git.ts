import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CliError } from "./CliError.ts";
import { ExitCode } from "./exitCodes.ts";

const MAX_OUTPUT = 4 * 1024 * 1024;

/** Runs git without a shell, a prompt, hooks, or any transport but https and local files. */
export function git(args: readonly string[], cwd?: string): Promise<Buffer> {
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:file",
    LC_ALL: "C",
  };
  return new Promise((resolve, reject) => {
    execFile(
      "git",
      ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", ...args],
      { cwd, env, encoding: "buffer", maxBuffer: MAX_OUTPUT, timeout: 300_000 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const said = stderr.toString("utf8").trim().split("\n").at(-1) ?? error.message;
        reject(new CliError(ExitCode.Refused, "git/failed", `git ${args[0] ?? ""} failed`, { said }));
      },
    );
  });
}

/**
 * One file's bytes at a commit, from a repository that may be anybody's: nothing is checked out, so nothing of it runs.
 * @param repository https URL or a local path.
 */
export async function fileAt(repository: string, commit: string, path: string): Promise<Uint8Array> {
  if (!/^https:\/\//.test(repository) && !/^[./]/.test(repository)) {
    throw new CliError(ExitCode.Usage, "git/repository", "expected an https URL or a local path", {
      repository,
    });
  }
  const directory = mkdtempSync(join(tmpdir(), "charter-rebuild-"));
  try {
    await git(["clone", "--quiet", "--no-checkout", "--no-hardlinks", "--", repository, directory]);
    return await git(["cat-file", "blob", `${commit}:${path}`], directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
