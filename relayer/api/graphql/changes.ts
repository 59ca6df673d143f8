import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Where subscriptions hear that something may have changed. */
export interface Announcer {
  /** Calls `listener` after each change; gives the way to stop. */
  readonly onUpdate: (listener: () => void) => () => void;
}

/** Streams open at once, of all clients and of one address: each holds a socket and is looked at on every block. */
export const MAX_STREAMS = 200;
export const MAX_STREAMS_PER_ADDRESS = 32;
/** What no block announces (a lease granted) is looked at this often, while anybody watches. */
const LOOK_MS = 1_000;

/** What a stream is of. */
interface Topic<T> {
  /** Streams of one topic are looked at once for all of them. */
  readonly name: string;
  readonly read: () => T;
  /** Whose it is; absent where nobody's are counted. */
  readonly address?: string | undefined;
}

interface Seen {
  readonly value: unknown;
  readonly text: string;
}

/** An open stream. */
interface Watcher {
  readonly address: string | undefined;
  look(): void;
  end(): void;
}

/**
 * Streams of values that change. Each begins with the value of now, and goes on with every one that differs from the one
 * before. A reader that is slow misses values in between, never the last: nothing is queued for it.
 */
export class Changes {
  readonly #announcer: Announcer;
  readonly #open = new Set<Watcher>();
  /** What was seen since the last announcement, by topic. */
  readonly #seen = new Map<string, Seen>();
  #stopListening: (() => void) | null = null;
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
  stream<T>({ name, read, address }: Topic<T>): AsyncIterableIterator<T> {
    this.#requireRoom(address);
    let told: string | undefined;
    let done = false;
    let waiting: ((result: IteratorResult<T>) => void) | undefined;
    let fail: ((error: unknown) => void) | undefined;

    const look = (): void => {
      if (!waiting) return;
      try {
        const { value, text } = told === undefined ? this.#lookAt(name, read) : this.#lastOf(name, read);
        if (text === told) return;
        told = text;
        waiting({ value: value as T, done: false });
      } catch (error) {
        fail?.(error);
        end();
      }
      waiting = undefined;
    };
    const end = (): void => {
      done = true;
      this.#open.delete(watcher);
      if (this.#open.size === 0) this.#stop();
      waiting?.({ value: undefined, done: true });
      waiting = undefined;
    };
    const watcher: Watcher = { address, look, end };
    this.#open.add(watcher);
    this.#stopListening ??= this.#listen();

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
    for (const one of [...this.#open]) one.end();
  }

  #requireRoom(address: string | undefined): void {
    const ofAddress = [...this.#open].filter(
      (one) => address !== undefined && one.address === address,
    ).length;
    const isFull = ofAddress >= MAX_STREAMS_PER_ADDRESS;
    if (!this.#closed && !isFull && this.#open.size < MAX_STREAMS) return;
    throw new CharterError("api/too-many-streams", "no further subscription is taken now", {
      expected: isFull ? MAX_STREAMS_PER_ADDRESS : MAX_STREAMS,
      actual: isFull ? ofAddress : this.#open.size,
    });
  }

  #lookAt(name: string, read: () => unknown): Seen {
    const value = read();
    const seen = { value, text: JSON.stringify(value) };
    this.#seen.set(name, seen);
    return seen;
  }

  #lastOf(name: string, read: () => unknown): Seen {
    return this.#seen.get(name) ?? this.#lookAt(name, read);
  }

  /** One announcement and one clock for all streams. */
  #listen(): () => void {
    const turn = (): void => {
      this.#seen.clear();
      for (const one of [...this.#open]) one.look();
    };
    const stop = this.#announcer.onUpdate(turn);
    const timer = setInterval(turn, LOOK_MS).unref();
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  #stop(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#seen.clear();
  }
}
