import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One of our programs, running. */
export interface Program<Ready> {
  readonly ready: Ready;
  readonly pid: number;
  /** Everything that it wrote to stderr so far. */
  readonly log: () => string;
  /** Its exit code, once it has ended, by whatever. */
  readonly exited: Promise<number | null>;
  /** Sends SIGTERM and gives the exit code. */
  stop(): Promise<number | null>;
}

/** A program that ended before it was ready. */
export class NotReady extends Error {
  readonly exitCode: number | null;
  readonly log: string;

  constructor(exitCode: number | null, log: string) {
    super(`the program ended with ${exitCode}: ${log.slice(-2_000)}`);
    this.exitCode = exitCode;
    this.log = log;
  }
}

/** Starts `path` (from the repository's root) on this Node, and resolves with its ready line. */
export function startProgram<Ready>(
  path: string,
  environment: Readonly<Record<string, string>>,
  onSpawn?: (child: ChildProcess) => void,
): Promise<Program<Ready>> {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const child = spawn(process.execPath, [path], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_ENV: "test",
      LOG_LEVEL: "info",
      // As in deploy/Dockerfile.
      NODE_COMPILE_CACHE: join(root, "node_modules/.cache/charter"),
      MALLOC_ARENA_MAX: "2",
      MALLOC_MMAP_THRESHOLD_: "131072",
      MALLOC_TRIM_THRESHOLD_: "131072",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onSpawn?.(child);
  let out = "";
  let log = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    void exited.then((code) => reject(new NotReady(code, log)));
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
      const end = out.indexOf("\n");
      if (end < 0) return;
      resolve({
        ready: JSON.parse(out.slice(0, end)) as Ready,
        pid: child.pid ?? 0,
        log: () => log,
        exited,
        stop: () => {
          child.kill("SIGTERM");
          return exited;
        },
      });
    });
  });
}
