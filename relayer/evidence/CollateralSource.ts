import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";

interface Options<Family, Collateral> {
  /** One text per family. */
  readonly key: (family: Family) => string;
  /** Fetches, judges and keeps what is published now. @throws CharterError */
  readonly load: (family: Family) => Promise<Collateral>;
  /** What was kept of an earlier time, for when `load` fails and nothing valid is held; null for nothing. */
  readonly kept?: (family: Family) => Promise<Collateral | null>;
  /** First second in which some part of it is not valid any more. */
  readonly validUntil: (collateral: Collateral) => number;
  /** Unix seconds. */
  readonly now: () => number;
  /** False for what is published once and never again: it is not looked for while it is valid. Default true. */
  readonly isRenewed?: boolean;
  /** Different families that may be fetched at once; one more is refused. Default 64. */
  readonly maxLoading?: number;
  readonly onRefreshFailed?: (cause: unknown, family: Family) => void;
  /** 0 to 1; spreads the retries of replicas that failed together. Default random. */
  readonly random?: () => number;
}

interface Entry<Collateral> {
  readonly collateral: Collateral;
  readonly fetchedAt: number;
  readonly validUntil: number;
}

/** New collateral is looked for this often: a TCB recovery is published long before the old collateral ends. */
const REFRESH_AFTER_SECONDS = 6 * 3_600;
/** And this long before the end of what is held. */
const REFRESH_MARGIN_SECONDS = 600;
/**
 * After a failed refresh, while what is held is still valid, the next is tried within this time; each further failure
 * doubles it, up to the longest.
 */
const RETRY_WITHIN_SECONDS = 30;
const LONGEST_RETRY_SECONDS = 3_600;
/** Families of platforms held at once; the oldest goes first. */
const MAX_ENTRIES = 256;
const MAX_LOADING = 64;

/**
 * Parsed collateral per platform family, fetched once and kept until it is due. It fails closed: without valid
 * collateral the caller gets the typed error of the fetch, never an outdated answer. Whether collateral is genuine is
 * the verifier's business at every use.
 */
export class CollateralSource<Family, Collateral> {
  readonly #options: Options<Family, Collateral>;
  readonly #maxLoading: number;
  readonly #entries = new Map<string, Entry<Collateral>>();
  readonly #loading = new Map<string, Promise<Collateral>>();
  readonly #failures = new Map<string, { readonly count: number; readonly retryAt: number }>();

  constructor(options: Options<Family, Collateral>) {
    this.#options = options;
    this.#maxLoading = options.maxLoading ?? MAX_LOADING;
  }

  /** First second in which some part of what is held is not valid any more, by family. */
  held(): ReadonlyMap<string, number> {
    return new Map([...this.#entries].map(([id, { validUntil }]) => [id, validUntil]));
  }

  /** @throws CharterError of `load` and `kept`; `collateral/busy`. */
  get(family: Family): Promise<Collateral> {
    const id = this.#options.key(family);
    const now = this.#options.now();
    const held = this.#entries.get(id);
    const running = this.#loading.get(id);
    const isFull = running === undefined && this.#loading.size >= this.#maxLoading;
    if (held !== undefined && now < held.validUntil && (isFull || !this.#isDue(id, held, now))) {
      return Promise.resolve(held.collateral);
    }
    if (running !== undefined) return running;
    if (isFull) {
      const busy = new CharterError("collateral/busy", "too much collateral is being fetched; try again", {
        maxLoading: this.#maxLoading,
      });
      return Promise.reject(busy);
    }
    // Requests that arrive together share one fetch, and one failure.
    const loading = this.#load(id, family).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  #isDue(id: string, held: Entry<Collateral>, now: number): boolean {
    if (this.#options.isRenewed === false) return false;
    if (now < (this.#failures.get(id)?.retryAt ?? -Infinity)) return false;
    return now >= Math.min(held.fetchedAt + REFRESH_AFTER_SECONDS, held.validUntil - REFRESH_MARGIN_SECONDS);
  }

  async #load(id: string, family: Family): Promise<Collateral> {
    const { load, now, onRefreshFailed } = this.#options;
    try {
      const collateral = await load(family);
      this.#hold(id, collateral, now());
      this.#failures.delete(id);
      return collateral;
    } catch (cause) {
      onRefreshFailed?.(cause, family);
      const valid = await this.#stillValid(id, family);
      if (valid === null) throw cause;
      this.#retryLater(id, cause);
      return valid;
    }
  }

  /** What is held, else what was kept: as if fetched long ago, so that the next try is a matter of backoff alone. */
  async #stillValid(id: string, family: Family): Promise<Collateral | null> {
    const { kept, now, validUntil } = this.#options;
    const held = this.#entries.get(id);
    if (held !== undefined && now() < held.validUntil) return held.collateral;
    const found = (await kept?.(family)) ?? null;
    if (found === null || now() >= validUntil(found)) return null;
    this.#hold(id, found, -Infinity);
    return found;
  }

  #hold(id: string, collateral: Collateral, fetchedAt: number): void {
    this.#entries.delete(id);
    this.#entries.set(id, { collateral, fetchedAt, validUntil: this.#options.validUntil(collateral) });
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > MAX_ENTRIES && oldest.done !== true) {
      this.#entries.delete(oldest.value);
      this.#failures.delete(oldest.value);
    }
  }

  /** Backoff, and never before the time that the vendor named. */
  #retryLater(id: string, cause: unknown): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const within = Math.min(RETRY_WITHIN_SECONDS * 2 ** (count - 1), LONGEST_RETRY_SECONDS);
    const spread = (this.#options.random ?? Math.random)();
    const asked = isCharterError(cause) ? cause.details["retryAfterSeconds"] : undefined;
    const seconds = Math.max(Math.ceil(within * (0.5 + spread / 2)), typeof asked === "number" ? asked : 0);
    this.#failures.set(id, { count, retryAt: this.#options.now() + seconds });
  }
}
