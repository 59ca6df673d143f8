import type { Clock } from "../../../worker/clock.ts";
import { Inbox } from "./Inbox.ts";

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  /** Milliseconds of every sleep that has begun. */
  readonly sleeps = new Inbox<number>();
  #now = 0;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((wake) => {
      this.#sleepers.push({ until: this.#now + milliseconds, wake });
      this.sleeps.put(milliseconds);
      signal.addEventListener("abort", () => wake(), { once: true });
    });
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}
