import type { RunCommand } from "./runCommand.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** The command that Compose is called by on this machine, or why there is none. */
export async function findCompose(
  cwd: string,
  run: RunCommand,
): Promise<readonly [string, ...string[]] | string> {
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
