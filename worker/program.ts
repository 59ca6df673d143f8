import { isCharterError } from "../protocol/errors/CharterError.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** How long a stop may take before the program gives up on doing it in order. */
const STOP_TIMEOUT_MS = 30_000;

/** Prints one JSON line on stdout: the form in which every worker program speaks. */
export function say(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Runs one of the worker's programs until it ends by itself, or SIGTERM, SIGINT or SIGHUP asks it to. `run` gets the signal at
 * once, also half-way through its start, and returns when everything it started has stopped.
 */
export async function runProgram(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  // Whoever read us may be gone: that is no reason to leave containers behind.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  };
  // Not "once": a second signal must not cut an orderly stop short (a terminal sends Ctrl-C to a whole group).
  for (const name of SIGNALS) process.on(name, stop);
  try {
    await run(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) process.exitCode = 1;
    if (process.exitCode === 1) process.stderr.write(`${describe(error)}\n`);
  } finally {
    for (const name of SIGNALS) process.removeListener(name, stop);
  }
}

/** Resolves when the signal is given. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });

/** An error for people and machines: typed errors whole, anything else by its stack. */
function describe(error: unknown): string {
  if (isCharterError(error)) return JSON.stringify({ error: error.toJSON() });
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
