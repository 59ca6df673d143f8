import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Clock } from "../clock.ts";

/** Refusals that say when to come back. */
const LATER = new Set(["relayer/busy", "api/too-many-requests"]);
const LONGEST_SECONDS = 60;
const MAX_ATTEMPTS = 5;

/**
 * Milliseconds that a relayer asks to be left alone, with up to a quarter more, so that not all come back at once; 0 for
 * any other error.
 */
export function pauseAsked(error: unknown): number {
  if (!isCharterError(error) || !LATER.has(error.code)) return 0;
  const asked = error.details["retryAfterSeconds"];
  const seconds = typeof asked === "number" && asked > 0 ? Math.min(asked, LONGEST_SECONDS) : 1;
  return seconds * 1_000 * (1 + Math.random() / 4);
}

/** Asks, and again after the pause for which a busy relayer asks, a few times. @throws what `ask` throws. */
export async function askLater<T>(clock: Clock, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const pause = pauseAsked(error);
      if (pause === 0 || attempt === MAX_ATTEMPTS || signal.aborted) throw error;
      await clock.sleep(pause, signal);
      if (signal.aborted) throw error;
    }
  }
}
