import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Where subscriptions hear that something may have changed. */
export interface Announcer {
  /** Calls `listener` after each change; gives the way to stop. */
  readonly onUpdate: (listener: () => void) => () => void;
}

/** Streams open at once, of all clients: each holds a socket and is looked at on every block. */
export const MAX_STREAMS = 200;
/** What no block announces (a lease granted) is looked at this often, while anybody watches. */
const LOOK_MS = 1_000;

/**
 * Streams of values that change. Each begins with the value of now, and goes on with every one that differs from the one
 * before. A reader that is slow misses values in between, never the last: nothing is queued for it.
 */
export class Changes {
  readonly #announcer: Announcer;
  readonly #open = new Set<() => void>();
  #closed = false;

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  /** How many are open. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * A stream of what `read` gives. A `read` that throws ends it with that error.
   * @throws CharterError `api/too-many-streams`.
   */
  stream<T>(read: () => T): AsyncIterableIterator<T> {
    if (this.#closed || this.#open.size >= MAX_STREAMS) {
      throw new CharterError("api/too-many-streams", "no further subscription is taken now", {
        expected: MAX_STREAMS,
        actual: this.#open.size,
      });
    }
    let told: string | undefined;
    let done = false;
    let waiting: ((result: IteratorResult<T>) => void) | undefined;
    let fail: ((error: unknown) => void) | undefined;

    const look = (): void => {
      if (!waiting) return;
      try {
        const value = read();
        const text = JSON.stringify(value);
        if (text === told) return;
        told = text;
        waiting({ value, done: false });
      } catch (error) {
        fail?.(error);
        end();
      }
      waiting = undefined;
    };
    const end = (): void => {
      done = true;
      stopListening();
      clearInterval(timer);
      this.#open.delete(end);
      waiting?.({ value: undefined, done: true });
      waiting = undefined;
    };
    const stopListening = this.#announcer.onUpdate(look);
    const timer = setInterval(look, LOOK_MS).unref();
    this.#open.add(end);

    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () =>
        new Promise((resolve, reject) => {
          if (done) return resolve({ value: undefined, done: true });
          waiting = resolve;
          fail = reject;
          look();
        }),
      return: () => {
        end();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  /** Ends every stream, and takes no other. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#open]) end();
  }
}
