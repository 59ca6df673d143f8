import { isCharterError } from "../protocol/errors/CharterError.ts";

/** How long a stop may take before the program gives up on doing it in order. */
const STOP_TIMEOUT_MS = 30_000;

/** Prints one JSON line on stdout: the form in which every worker program speaks. */
export function say(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Runs one of the worker's programs until it ends by itself, or SIGTERM or SIGINT asks it to. `run` gets the signal at
 * once, also half-way through its start, and returns when everything it started has stopped.
 */
export async function runProgram(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort();
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  try {
    await run(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) process.exitCode = 1;
    if (process.exitCode === 1) process.stderr.write(`${describe(error)}\n`);
  } finally {
    process.removeListener("SIGTERM", stop);
    process.removeListener("SIGINT", stop);
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
