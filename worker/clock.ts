/** Time as the worker counts it. Injected, so that no test sleeps. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never runs backwards. */
  now(): number;
  /** Resolves after that many milliseconds, or as soon as the signal is given. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/**
 * The machine's clock. Linux's monotonic clock stands still while a machine is suspended, and a lease must not: each
 * step counts by the monotonic clock or by the wall clock, whichever went further. A host that sets the wall clock can
 * only make a lease shorter. A sleep is looked at by the same count, as a timer stands still, too.
 */
export function machineClock(
  monotonic = () => performance.now(),
  wall = () => Date.now(),
  lookMs = LOOK_MS,
): Clock {
  let total = 0;
  let last = { monotonic: monotonic(), wall: wall() };
  const now = (): number => {
    const current = { monotonic: monotonic(), wall: wall() };
    total += Math.max(current.monotonic - last.monotonic, current.wall - last.wall, 0);
    last = current;
    return total;
  };
  return {
    now,
    sleep: (milliseconds, signal) =>
      new Promise((done) => {
        if (signal.aborted) return done();
        const until = now() + milliseconds;
        let timer: NodeJS.Timeout;
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", end);
          done();
        };
        const look = (): void => {
          const left = until - now();
          if (left <= 0) end();
          else timer = setTimeout(look, Math.min(left, lookMs));
        };
        timer = setTimeout(look, Math.min(milliseconds, lookMs));
        signal.addEventListener("abort", end);
      }),
  };
}

/** No timer runs for longer: so late a suspension is noticed at most. */
const LOOK_MS = 1_000;
