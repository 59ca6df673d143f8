import type { PckCa } from "./pcsClient.ts";

interface Options<Collateral> {
  /** Fetches and parses what is published now. @throws CharterError */
  readonly load: (fmspc: string, ca: PckCa) => Promise<Collateral>;
  /** First second in which some part of it is not valid any more. */
  readonly validUntil: (collateral: Collateral) => number;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onRefreshFailed?: (cause: unknown) => void;
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
/** After a failed refresh the next is tried no sooner, while what is held is still valid. */
const RETRY_AFTER_SECONDS = 30;
/** Families of platforms held at once; the oldest goes first. */
const MAX_ENTRIES = 256;

/**
 * Parsed collateral per platform family, fetched once and kept until it is due. It fails closed: without valid
 * collateral the caller gets the typed error of the fetch, never an outdated answer. Whether collateral is genuine is
 * the verifier's business at every use.
 */
export class CollateralSource<Collateral> {
  readonly #options: Options<Collateral>;
  readonly #entries = new Map<string, Entry<Collateral>>();
  readonly #loading = new Map<string, Promise<Collateral>>();
  readonly #failedAt = new Map<string, number>();

  constructor(options: Options<Collateral>) {
    this.#options = options;
  }

  /** @param fmspc 12 hex digits, as the PCK certificate carries them. */
  async get(fmspc: string, ca: PckCa): Promise<Collateral> {
    const id = `${fmspc.toLowerCase()}:${ca}`;
    const now = this.#options.now();
    const held = this.#entries.get(id);
    if (held !== undefined && now < held.validUntil && !this.#isDue(id, held, now)) return held.collateral;
    try {
      return await this.#load(id, fmspc, ca);
    } catch (cause) {
      this.#options.onRefreshFailed?.(cause);
      if (held === undefined || now >= held.validUntil) throw cause;
      this.#failedAt.set(id, now);
      return held.collateral;
    }
  }

  #isDue(id: string, held: Entry<Collateral>, now: number): boolean {
    if (now < (this.#failedAt.get(id) ?? -Infinity) + RETRY_AFTER_SECONDS) return false;
    return now >= Math.min(held.fetchedAt + REFRESH_AFTER_SECONDS, held.validUntil - REFRESH_MARGIN_SECONDS);
  }

  /** Requests that arrive together share one fetch. */
  #load(id: string, fmspc: string, ca: PckCa): Promise<Collateral> {
    const running = this.#loading.get(id);
    if (running !== undefined) return running;
    const { load, now, validUntil } = this.#options;
    const loading = load(fmspc, ca)
      .then((collateral) => {
        this.#entries.delete(id);
        this.#entries.set(id, { collateral, fetchedAt: now(), validUntil: validUntil(collateral) });
        this.#failedAt.delete(id);
        const oldest = this.#entries.keys().next();
        if (this.#entries.size > MAX_ENTRIES && oldest.done !== true) {
          this.#entries.delete(oldest.value);
          this.#failedAt.delete(oldest.value);
        }
        return collateral;
      })
      .finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }
}
