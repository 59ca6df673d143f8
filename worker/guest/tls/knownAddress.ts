import type { Clock } from "../../clock.ts";

/** An address is used for so long: a container that was started again may have another. */
const KEPT_MS = 1_000;

/**
 * Where a service answers, asked of the engine once at a time and once a second however many clients connect. Each question is
 * two processes: a client that only opens connections must not use up what the guest needs to renew its lease.
 */
export function knownAddress(
  ask: () => Promise<string | null>,
  clock: Pick<Clock, "now">,
): () => Promise<string | null> {
  let known: { readonly answer: Promise<string | null>; until: number } | undefined;
  return () => {
    if (known !== undefined && clock.now() < known.until) return known.answer;
    const asked = { answer: ask(), until: Infinity };
    const keep = (): void => void (asked.until = clock.now() + KEPT_MS);
    asked.answer.then(keep, keep);
    known = asked;
    return asked.answer;
  };
}
