import { CharterError } from "../../protocol/errors/CharterError.ts";

/** An answer with status 200. */
export interface VendorAnswer {
  readonly url: string;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export interface VendorHttpOptions {
  readonly fetch?: typeof globalThis.fetch;
  /** For the whole answer, its body included. Default 10 s. */
  readonly timeoutMs?: number;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
}

/** Largest answer that is read. */
export const MAX_ANSWER_BYTES = 1_048_576;
/** How long nothing is asked after a 429 that does not say, and the longest that a vendor can keep us from asking. */
const DEFAULT_PAUSE_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 3_600;

/**
 * One vendor's service over HTTP: bounded in size and time, no redirects. After a 429 nothing more is sent until the time
 * that the vendor names. It moves bytes and judges none; every failure is a `CharterError` `collateral/…`.
 */
export class VendorHttp {
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #pausedUntil = -Infinity;

  constructor({ fetch = globalThis.fetch, timeoutMs = 10_000, now }: VendorHttpOptions = {}) {
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs;
    this.#now = now ?? (() => Math.floor(Date.now() / 1_000));
  }

  /**
   * @throws CharterError `collateral/refused` (the status in `actual`), `collateral/rate-limited` (with
   * `retryAfterSeconds`), `collateral/too-large`, `collateral/unreachable`.
   */
  async get(url: string, init: Pick<RequestInit, "method" | "headers" | "body"> = {}): Promise<VendorAnswer> {
    const pause = this.#pausedUntil - this.#now();
    if (pause > 0) throw rateLimited(url, pause);
    try {
      const response = await this.#fetch(url, {
        ...init,
        redirect: "error",
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw this.#refusal(url, response);
      }
      return { url, headers: response.headers, bytes: await readBounded(response, url) };
    } catch (cause) {
      if (cause instanceof CharterError) throw cause;
      throw new CharterError(
        "collateral/unreachable",
        "the collateral service did not answer",
        { url },
        { cause },
      );
    }
  }

  #refusal(url: string, { status, headers }: Response): CharterError {
    if (status !== 429) {
      return new CharterError("collateral/refused", "the collateral service must answer 200", {
        url,
        actual: status,
      });
    }
    const now = this.#now();
    const seconds = retryAfterSeconds(headers.get("Retry-After"), now);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + seconds);
    return rateLimited(url, seconds);
  }
}

const rateLimited = (url: string, seconds: number): CharterError =>
  new CharterError("collateral/rate-limited", "the collateral service asks to be left alone for a while", {
    url,
    retryAfterSeconds: seconds,
  });

/** Retry-After in seconds, or as a date (RFC 9110 §10.2.3). */
function retryAfterSeconds(value: string | null, now: number): number {
  const text = value?.trim() ?? "";
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Math.ceil(Date.parse(text) / 1_000) - now;
  if (Number.isNaN(seconds)) return DEFAULT_PAUSE_SECONDS;
  return Math.min(Math.max(seconds, 1), LONGEST_PAUSE_SECONDS);
}

async function readBounded(response: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_ANSWER_BYTES) {
      throw new CharterError("collateral/too-large", "a collateral answer is at most 1 MiB", { url });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
