import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Clock } from "../clock.ts";
import type { RelayerClient } from "./RelayerClient.ts";
import { RelayerSession, type SessionTerms } from "./RelayerSession.ts";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

interface Kept {
  session?: RelayerSession;
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

  constructor(terms: SessionTerms, clock: Clock, onDenied: () => void) {
    this.#terms = terms;
    this.#clock = clock;
    this.#onDenied = onDenied;
  }

  /** The session with this relayer; undefined when there is none now, and plain requests must do. */
  async with(relayer: RelayerClient, signal: AbortSignal): Promise<RelayerSession | undefined> {
    const kept = this.#kept.get(relayer) ?? { failures: 0, notBefore: 0 };
    this.#kept.set(relayer, kept);
    if (kept.session?.isOpen === true) return kept.session;
    if (this.#clock.now() < kept.notBefore) return undefined;
    try {
      kept.session = await RelayerSession.open(relayer.url, this.#terms, this.#onDenied, signal);
      kept.failures = 0;
      return kept.session;
    } catch (error) {
      if (!isCharterError(error)) throw error;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** kept.failures++, LONGEST_PAUSE_MS);
      kept.notBefore = this.#clock.now() + pause * (0.75 + Math.random() / 2);
      return undefined;
    }
  }

  closeAll(): void {
    for (const { session } of this.#kept.values()) session?.close();
  }
}
