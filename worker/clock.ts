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
 * only make a lease shorter.
 */
export function machineClock(monotonic = () => performance.now(), wall = () => Date.now()): Clock {
  let total = 0;
  let last = { monotonic: monotonic(), wall: wall() };
  return {
    now() {
      const current = { monotonic: monotonic(), wall: wall() };
      total += Math.max(current.monotonic - last.monotonic, current.wall - last.wall, 0);
      last = current;
      return total;
    },
    sleep: (milliseconds, signal) =>
      new Promise((done) => {
        if (signal.aborted) return done();
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", end);
          done();
        };
        const timer = setTimeout(end, milliseconds);
        signal.addEventListener("abort", end);
      }),
  };
}
