import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Processor seconds that a process and its threads have used so far (proc_pid_stat(5), fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  return usedIn(`/proc/${pid}/stat`).own;
}

/** Resident memory now, MiB. */
export function rssMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1_024;
}

/** Processor seconds of a process's first thread alone: where JavaScript runs that is no worker's. */
export function mainThreadSeconds(pid: number): number {
  return usedIn(`/proc/${pid}/task/${pid}/stat`).own;
}

/** Processor seconds of all processes under `pid` (not its own), those that ended among them, by the program's name. */
export function descendantSeconds(pid: number): ReadonlyMap<string, number> {
  const processes = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [{ pid: Number(name), ...usedIn(`/proc/${name}/stat`) }];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
  const parents = new Map(processes.map((each) => [each.pid, each.parent]));
  const isUnder = (child: number): boolean => {
    for (let at = parents.get(child); at !== undefined; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  const seconds = new Map<string, number>();
  for (const { pid: child, name, own, ended } of processes) {
    if (isUnder(child)) seconds.set(name, (seconds.get(name) ?? 0) + own + ended);
  }
  return seconds;
}

function usedIn(path: string): { name: string; parent: number; own: number; ended: number } {
  const stat = readFileSync(path, "utf8");
  const [from, end] = [stat.indexOf("(") + 1, stat.lastIndexOf(")")];
  const fields = stat.slice(end + 2).split(" ");
  const seconds = (...at: number[]): number =>
    at.reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS;
  return {
    name: stat.slice(from, end),
    parent: Number(fields[1]),
    own: seconds(11, 12),
    ended: seconds(13, 14),
  };
}
