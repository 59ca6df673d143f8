import { readdirSync, readFileSync } from "node:fs";

/** More rounds than forks that were under way can need. */
const MAX_ROUNDS = 32;

/**
 * Kills every process of these containers without asking their engine, which may be dead while they live on. A process is
 * theirs by its control group, whose path holds the container's whole id. All are stopped before the first is killed: what
 * forks faster than it is killed would outlive its lease.
 * @param ids whole ids (64 hex digits); anything else is passed over.
 * @param proc where the kernel shows processes; where it does not (no Linux), nothing is done.
 * @returns how many were killed.
 */
export function killContainers(
  ids: readonly string[],
  proc = "/proc",
  kill: (pid: number, signal: "SIGSTOP" | "SIGKILL") => void = (pid, signal) => process.kill(pid, signal),
): number {
  const whole = ids.filter((id) => /^[0-9a-f]{64}$/.test(id));
  if (whole.length === 0) return 0;
  const attempt = (pid: number, signal: "SIGSTOP" | "SIGKILL"): boolean => {
    try {
      kill(pid, signal);
      return true;
    } catch {
      return false; // It ended meanwhile.
    }
  };
  const stopped = new Set<number>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const fresh = pids(proc).filter((pid) => !stopped.has(pid) && isOfAny(whole, `${proc}/${pid}/cgroup`));
    if (fresh.length === 0) break;
    for (const pid of fresh) if (attempt(pid, "SIGSTOP")) stopped.add(pid);
  }
  return [...stopped].filter((pid) => attempt(pid, "SIGKILL")).length;
}

function isOfAny(ids: readonly string[], cgroup: string): boolean {
  try {
    const groups = readFileSync(cgroup, "utf8");
    return ids.some((id) => groups.includes(id));
  } catch {
    return false; // It ended meanwhile.
  }
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
