interface Window {
  count: number;
  /** Milliseconds on the monotonic clock. */
  endsAt: number;
}

interface Options {
  readonly max: number;
  readonly windowSeconds: number;
  /** Windows kept at once; beyond it the oldest goes, so that a flood of names costs no memory. */
  readonly maxKept?: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

const MAX_KEPT = 65_536;

/** Counts by name in fixed windows. */
export class RateLimiter {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #maxKept: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor({ max, windowSeconds, maxKept = MAX_KEPT, now = () => performance.now() }: Options) {
    this.#max = max;
    this.#windowMs = windowSeconds * 1_000;
    this.#maxKept = maxKept;
    this.#now = now;
  }

  /** Seconds until this name may go on; 0 when it may now. Counts nothing. */
  waitSeconds(name: string): number {
    const window = this.#windows.get(name);
    const now = this.#now();
    if (window === undefined || window.endsAt <= now || window.count < this.#max) return 0;
    return Math.ceil((window.endsAt - now) / 1_000);
  }

  count(name: string, amount = 1): void {
    const now = this.#now();
    const window = this.#windows.get(name);
    if (window !== undefined && window.endsAt > now) {
      window.count += amount;
      return;
    }
    this.#windows.delete(name);
    this.#windows.set(name, { count: amount, endsAt: now + this.#windowMs });
    const oldest = this.#windows.keys().next();
    if (this.#windows.size > this.#maxKept && oldest.done !== true) this.#windows.delete(oldest.value);
  }

  /** Takes one count back. */
  forgive(name: string): void {
    const window = this.#windows.get(name);
    if (window !== undefined && window.count > 0) window.count--;
  }
}
