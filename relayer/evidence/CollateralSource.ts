interface Options<Family, Collateral> {
  /** One text per family. */
  readonly key: (family: Family) => string;
  /** Fetches and parses what is published now. @throws CharterError */
  readonly load: (family: Family) => Promise<Collateral>;
  /** First second in which some part of it is not valid any more. */
  readonly validUntil: (collateral: Collateral) => number;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onRefreshFailed?: (cause: unknown) => void;
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

/**
 * Parsed collateral per platform family, fetched once and kept until it is due. It fails closed: without valid
 * collateral the caller gets the typed error of the fetch, never an outdated answer. Whether collateral is genuine is
 * the verifier's business at every use.
 */
export class CollateralSource<Family, Collateral> {
  readonly #options: Options<Family, Collateral>;
  readonly #entries = new Map<string, Entry<Collateral>>();
  readonly #loading = new Map<string, Promise<Collateral>>();
  readonly #failures = new Map<string, { readonly count: number; readonly retryAt: number }>();

  constructor(options: Options<Family, Collateral>) {
    this.#options = options;
  }

  /** First second in which some part of what is held is not valid any more, by family. */
  held(): ReadonlyMap<string, number> {
    return new Map([...this.#entries].map(([id, { validUntil }]) => [id, validUntil]));
  }

  async get(family: Family): Promise<Collateral> {
    const id = this.#options.key(family);
    const now = this.#options.now();
    const held = this.#entries.get(id);
    if (held !== undefined && now < held.validUntil && !this.#isDue(id, held, now)) return held.collateral;
    try {
      return await this.#load(id, family);
    } catch (cause) {
      this.#options.onRefreshFailed?.(cause);
      if (held === undefined || now >= held.validUntil) throw cause;
      this.#retryLater(id, now);
      return held.collateral;
    }
  }

  #isDue(id: string, held: Entry<Collateral>, now: number): boolean {
    if (now < (this.#failures.get(id)?.retryAt ?? -Infinity)) return false;
    return now >= Math.min(held.fetchedAt + REFRESH_AFTER_SECONDS, held.validUntil - REFRESH_MARGIN_SECONDS);
  }

  #retryLater(id: string, now: number): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const within = Math.min(RETRY_WITHIN_SECONDS * 2 ** (count - 1), LONGEST_RETRY_SECONDS);
    const spread = (this.#options.random ?? Math.random)();
    this.#failures.set(id, { count, retryAt: now + Math.ceil(within * (0.5 + spread / 2)) });
  }

  /** Requests that arrive together share one fetch. */
  #load(id: string, family: Family): Promise<Collateral> {
    const running = this.#loading.get(id);
    if (running !== undefined) return running;
    const { load, now, validUntil } = this.#options;
    const loading = load(family)
      .then((collateral) => {
        this.#entries.delete(id);
        this.#entries.set(id, { collateral, fetchedAt: now(), validUntil: validUntil(collateral) });
        this.#failures.delete(id);
        const oldest = this.#entries.keys().next();
        if (this.#entries.size > MAX_ENTRIES && oldest.done !== true) {
          this.#entries.delete(oldest.value);
          this.#failures.delete(oldest.value);
        }
        return collateral;
      })
      .finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }
}
