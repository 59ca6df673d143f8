import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills every process of these containers without asking their engine, which may be dead while they live on. A process is
 * theirs by its control group, whose path holds the container's whole id.
 * @param ids whole ids (64 hex digits); anything else is passed over.
 * @param proc where the kernel shows processes; where it does not (no Linux), nothing is done.
 * @returns how many were killed.
 */
export function killContainers(
  ids: readonly string[],
  proc = "/proc",
  kill: (pid: number) => void = (pid) => process.kill(pid, "SIGKILL"),
): number {
  const whole = ids.filter((id) => /^[0-9a-f]{64}$/.test(id));
  if (whole.length === 0) return 0;
  let killed = 0;
  for (const pid of pids(proc)) {
    try {
      const groups = readFileSync(`${proc}/${pid}/cgroup`, "utf8");
      if (!whole.some((id) => groups.includes(id))) continue;
      kill(pid);
      killed++;
    } catch {
      // It ended meanwhile.
    }
  }
  return killed;
}

function pids(proc: string): number[] {
  try {
    return readdirSync(proc)
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
