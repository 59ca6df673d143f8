import { pause } from "../pause.ts";

/** Rows age by days: what is over an hour later is soon enough. */
const INTERVAL_MS = 3_600_000;
/** A program that starts has other things to do. */
const FIRST_MS = 60_000;
/** Between two windows of a pass: less than 10 MiB/s are read, beside what verdicts write. */
export const REST_MS = 25;

/** Passes every hour until the signal; a failure is told of and waits for the next time. */
export async function everyHour(
  pass: () => Promise<void>,
  signal: AbortSignal,
  onFailed: (cause: unknown) => void,
): Promise<void> {
  await pause(FIRST_MS, signal);
  while (!signal.aborted) {
    await pass().catch(onFailed);
    await pause(INTERVAL_MS, signal);
  }
}
