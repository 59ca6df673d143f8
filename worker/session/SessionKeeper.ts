import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Clock } from "../clock.ts";
import type { RelayerClient } from "./RelayerClient.ts";
import { RelayerSession, type SessionTerms } from "./RelayerSession.ts";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

interface Kept {
  session?: RelayerSession;
  /** While it is being opened. */
  opening?: Promise<void>;
  failures: number;
  /** Not tried again before this, on the worker's clock. */
  notBefore: number;
}

/**
 * One session per relayer, opened when it is first asked for and again after it broke. A relayer that holds none is left
 * alone for a while, ever longer, so that many workers do not all come back at once.
 */
export class SessionKeeper {
  readonly #terms: SessionTerms;
  readonly #clock: Clock;
  readonly #onDenied: () => void;
  readonly #kept = new Map<RelayerClient, Kept>();
  readonly #closed = new AbortController();

  constructor(terms: SessionTerms, clock: Clock, onDenied: () => void) {
    this.#terms = terms;
    this.#clock = clock;
    this.#onDenied = onDenied;
  }

  /**
   * The session with this relayer; undefined when there is none now, and plain requests must do. One that takes longer to open
   * than `patienceMs` is opened all the same, for the next time.
   */
  async with(
    relayer: RelayerClient,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<RelayerSession | undefined> {
    const kept = this.#kept.get(relayer) ?? { failures: 0, notBefore: 0 };
    this.#kept.set(relayer, kept);
    const open = standing(kept);
    if (open !== undefined) return open;
    if (kept.opening === undefined) {
      if (signal.aborted || this.#clock.now() < kept.notBefore) return undefined;
      // One at a time: a relayer holds one session per key, and the newest ends the one before.
      kept.opening = this.#open(relayer, kept).finally(() => delete kept.opening);
    }
    const waited = new AbortController();
    const patience = this.#clock.sleep(patienceMs, AbortSignal.any([signal, waited.signal]));
    await Promise.race([kept.opening, patience]).finally(() => waited.abort());
    return standing(kept);
  }

  closeAll(): void {
    this.#closed.abort();
    for (const { session } of this.#kept.values()) session?.close();
  }

  /** Not cut short by whoever asked first: that one may have its lease from another relayer meanwhile. */
  async #open(relayer: RelayerClient, kept: Kept): Promise<void> {
    try {
      kept.session = await RelayerSession.open(relayer.url, this.#terms, this.#onDenied, this.#closed.signal);
      kept.failures = 0;
    } catch (error) {
      if (!isCharterError(error)) throw error;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** kept.failures++, LONGEST_PAUSE_MS);
      kept.notBefore = this.#clock.now() + pause * (0.75 + Math.random() / 2);
    }
    if (this.#closed.signal.aborted) kept.session?.close();
  }
}

const standing = ({ session }: Kept): RelayerSession | undefined =>
  session?.isOpen === true ? session : undefined;
