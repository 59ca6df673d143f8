import type { Clock } from "../clock.ts";

export interface Hedge {
  readonly clock: Clock;
  /** The next attempt begins when the one before has said nothing for so long. */
  readonly pauseMs: number;
}

/** @param over given when another attempt has succeeded: this one is needed no more. */
export type Attempt<T> = (over: AbortSignal) => Promise<T>;

/**
 * Begins one attempt after another, each when the one before has failed or has been silent for a while, and gives up on none of
 * them for that: however many are silent, they cost a few pauses and not their patience. The first that succeeds counts.
 * @throws AggregateError with every attempt's reason, in order, when all have failed.
 */
export function firstOf<T>(attempts: readonly Attempt<T>[], { clock, pauseMs }: Hedge): Promise<T> {
  const over = new AbortController();
  const begin = async (resolve: (value: T) => void, reject: (cause: unknown) => void): Promise<void> => {
    const begun: Promise<T>[] = [];
    for (const attempt of attempts) {
      const one = attempt(over.signal);
      begun.push(one);
      const settled = new AbortController();
      const ends = one.then(resolve, () => undefined).finally(() => settled.abort());
      await Promise.race([ends, clock.sleep(pauseMs, AbortSignal.any([over.signal, settled.signal]))]);
      if (over.signal.aborted) return;
    }
    Promise.any(begun).catch(reject);
  };
  return new Promise<T>((resolve, reject) => {
    const win = (value: T): void => {
      over.abort();
      resolve(value);
    };
    begin(win, reject).catch(reject);
  });
}
