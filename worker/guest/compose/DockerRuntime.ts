import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { dryRuntime, type Runtime } from "./Runtime.ts";
import type { ComposeProject } from "./parseCompose.ts";
import { runCommand, type RunCommand } from "./runCommand.ts";

const PROBE_TIMEOUT_MS = 5_000;
/** Images may have to be fetched. */
const UP_TIMEOUT_MS = 15 * 60_000;
const DOWN_TIMEOUT_MS = 60_000;
/** Given to containers to end by themselves. */
const STOP_SECONDS = 5;

export interface ComposeOptions {
  readonly project: ComposeProject;
  /** Of this guest alone: two guests never share containers. */
  readonly name: string;
  readonly workdir: string;
  readonly run?: RunCommand;
}

/** Docker Compose where an engine answers; otherwise the dry runtime, with the reason. */
export async function composeRuntime(options: ComposeOptions): Promise<Runtime> {
  const { workdir, run = runCommand } = options;
  await mkdir(workdir, { recursive: true });
  const compose = await findCompose(workdir, run);
  if (typeof compose === "string") return dryRuntime(compose);
  return dockerRuntime(options, compose);
}

/** The command that Compose is called by on this machine, or why there is none. */
export async function findCompose(
  cwd: string,
  run: RunCommand = runCommand,
): Promise<readonly string[] | string> {
  const answers = async (program: string, ...args: string[]): Promise<boolean> => {
    try {
      await run(program, args, { cwd, timeoutMs: PROBE_TIMEOUT_MS });
      return true;
    } catch {
      return false;
    }
  };
  if (!(await answers("docker", "info"))) return "no container engine answers (docker info)";
  if (await answers("docker", "compose", "version")) return ["docker", "compose"];
  if (await answers("docker-compose", "version")) return ["docker-compose"];
  return "the container engine has no Compose (docker compose, docker-compose)";
}

async function dockerRuntime(options: ComposeOptions, compose: readonly string[]): Promise<Runtime> {
  const { project, name, workdir, run = runCommand } = options;
  const [program, ...prefix] = compose as readonly [string, ...string[]];
  const file = join(workdir, "compose.json");
  // Without it Compose reads `.env` of the working directory (DESIGN section 7).
  const noVariables = join(workdir, "empty.env");
  await writeFile(noVariables, "");
  // JSON is YAML that every parser reads alike. Compose v1 takes the keys that we allow under this version only.
  await writeFile(file, JSON.stringify({ version: "2.4", ...project.file }), { mode: 0o600 });
  await chmod(file, 0o600);
  const call = (args: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<string> =>
    run(program, [...prefix, "--env-file", noVariables, "-p", name, "-f", file, ...args], {
      cwd: workdir,
      timeoutMs,
      ...(signal ? { signal } : {}),
    });
  const down = async (): Promise<void> => {
    // Volumes go, too: nothing survives a guest, and what it wrote is nobody else's.
    const args = ["down", "--volumes", "--remove-orphans", "--timeout", String(STOP_SECONDS)];
    try {
      await call(args, DOWN_TIMEOUT_MS);
    } catch {
      await call(["kill"], DOWN_TIMEOUT_MS);
      await call(args, DOWN_TIMEOUT_MS);
    }
  };
  // What an earlier guest of this name left behind when it was killed runs without a lease.
  await down();
  return {
    kind: "docker",
    note: `${compose.join(" ")}, project ${name}`,
    async up(signal) {
      await call(["up", "--detach", "--no-build", "--remove-orphans"], UP_TIMEOUT_MS, signal);
    },
    down,
  };
}
