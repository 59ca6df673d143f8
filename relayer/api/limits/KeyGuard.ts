import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import { busy } from "../../busy.ts";
import { limitName } from "./clientAddress.ts";
import { RateLimiter } from "./RateLimiter.ts";

/** Refusals after which nobody has shown that the key is theirs. */
const UNPROVEN = new Set([
  "lease/signature-invalid",
  "lease/nonce-replayed",
  "session/signature-invalid",
  "keys/binding-signature-invalid",
  "secret/signer-not-named",
  "node/poll-unproven",
  "endpoint/until", // Refused before its signature is looked at.
]);

interface Options {
  /** Proven requests of one key from one address, per minute. */
  readonly perKey: number;
  /** Unproven requests of one address, per minute: a recovered signature costs about two milliseconds. */
  readonly unprovenPerAddress?: number;
  /** Signatures looked at at once. */
  readonly maxAtOnce?: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/**
 * Stands before everything that a signature opens. What is signed is counted against its key, what is not against the
 * address that it came from: whoever floods or guesses uses up what is theirs, and nobody can use up another's by naming
 * its key.
 */
export class KeyGuard {
  readonly #keys: RateLimiter;
  readonly #unproven: RateLimiter;
  readonly #maxAtOnce: number;
  #atOnce = 0;

  constructor({ perKey, unprovenPerAddress = 300, maxAtOnce = 256, now }: Options) {
    const clock = now === undefined ? {} : { now };
    this.#keys = new RateLimiter({ max: perKey, windowSeconds: 60, ...clock });
    this.#unproven = new RateLimiter({ max: unprovenPerAddress, windowSeconds: 60, ...clock });
    this.#maxAtOnce = maxAtOnce;
  }

  /** @throws CharterError `api/too-many-requests`, `relayer/busy`, and what `work` throws. */
  async run<T>(of: { readonly key: string; readonly address: string }, work: () => Promise<T>): Promise<T> {
    const address = limitName(of.address);
    const name = `${of.key}@${address}`;
    const after = Math.max(this.#keys.waitSeconds(name), this.#unproven.waitSeconds(address));
    if (after > 0) {
      throw new CharterError("api/too-many-requests", "too many requests; wait before the next", {
        retryAfterSeconds: after,
      });
    }
    if (this.#atOnce >= this.#maxAtOnce) throw busy("signatures", 1);
    this.#atOnce++;
    this.#unproven.count(address); // Until the opposite is shown.
    try {
      const result = await work();
      this.#proven(address, name);
      return result;
    } catch (error) {
      if (isCharterError(error) && !UNPROVEN.has(error.code)) this.#proven(address, name);
      throw error;
    } finally {
      this.#atOnce--;
    }
  }

  #proven(address: string, name: string): void {
    this.#unproven.forgive(address);
    this.#keys.count(name);
  }
}
