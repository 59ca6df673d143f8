import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Receives both outputs. */
  readonly logFile: string;
  /** Standard output as it comes. */
  readonly onOutput?: (text: string) => void;
  readonly stopSignal?: NodeJS.Signals;
  /** How long an orderly stop may take before the process is killed. */
  readonly stopSeconds?: number;
}

/** A child process of ours, stopped by its own id. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit when the process ends, whoever ended it. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly isRunning: () => boolean;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a process in a group of its own, so that Ctrl-C in the terminal reaches only us and everything stops in order.
 */
export function startProcess(options: ProcessOptions): ManagedProcess {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, "a");
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", options.onOutput ? "pipe" : log, log],
    detached: true,
  });
  closeSync(log);
  child.stdout?.on("data", (chunk: Buffer) => {
    appendFileSync(options.logFile, chunk);
    options.onOutput?.(chunk.toString("utf8"));
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  return {
    name: options.name,
    pid: child.pid ?? -1,
    logFile: options.logFile,
    exited,
    isRunning: () => isRunning(child),
    stop: () => stop(child, exited, options.stopSignal ?? "SIGTERM", options.stopSeconds ?? 15),
  };
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

async function stop(
  child: ChildProcess,
  exited: Promise<unknown>,
  signal: NodeJS.Signals,
  seconds: number,
): Promise<void> {
  if (!isRunning(child) || child.pid === undefined) return;
  child.kill(signal);
  const controller = new AbortController();
  const late = delay(seconds * 1000, "late", { signal: controller.signal }).catch(() => undefined);
  if ((await Promise.race([exited, late])) === "late") {
    child.kill("SIGKILL");
    await exited;
  }
  controller.abort();
}

/** The last lines of a process's log, for an error message. */
export function logTail(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}
