import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until the answer is there.
 * @throws Error with what was waited for, after a minute: long enough for a loaded machine.
 */
export async function until<T>(what: string, ask: () => Promise<T | false | null | undefined>): Promise<T> {
  const deadline = performance.now() + 60_000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== false && answer !== null && answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`waited a minute for: ${what}`, { cause: last });
    await delay(100);
  }
}
