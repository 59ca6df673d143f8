import { CharterError } from "../../protocol/errors/CharterError.ts";
import { logTail, startProcess, type ManagedProcess } from "./process.ts";

export interface ProgramOptions {
  readonly name: string;
  /** TypeScript file of ours, relative to the repository. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly readySeconds?: number;
}

/** A started program and what its ready line said. */
export interface Program extends ManagedProcess {
  readonly ready: Readonly<Record<string, unknown>>;
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Starts one of our programs on this Node and waits for its ready line (`{"ready":true,…}` on standard output).
 * @throws CharterError `devnet/not-ready` with the end of its log.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  let buffer = "";
  let resolveReady: (line: Record<string, unknown>) => void = () => undefined;
  const ready = new Promise<Record<string, unknown>>((resolve) => (resolveReady = resolve));
  const child = startProcess({
    name: options.name,
    command: process.execPath,
    args: [new URL(options.file, ROOT).pathname, ...(options.args ?? [])],
    env: { NODE_COMPILE_CACHE: new URL("node_modules/.cache/charter", ROOT).pathname, ...options.env },
    cwd: ROOT.pathname,
    logFile: options.logFile,
    onOutput: (text) => {
      buffer += text;
      const lines = buffer.split("\n");
      buffer = lines.pop() ?? "";
      for (const line of lines) {
        const parsed = parseReady(line);
        if (parsed) resolveReady(parsed);
      }
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), (options.readySeconds ?? 60) * 1000);
  });
  const first = await Promise.race([ready, child.exited.then(() => null), late]);
  clearTimeout(timer);
  if (!first) {
    await child.stop();
    throw new CharterError(
      "devnet/not-ready",
      `${options.name} did not become ready:\n${logTail(options.logFile)}`,
      {
        name: options.name,
        logFile: options.logFile,
      },
    );
  }
  return { ...child, ready: first };
}

function parseReady(line: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === "object" && value !== null && "ready" in value && value.ready === true
      ? value
      : null;
  } catch {
    return null;
  }
}
