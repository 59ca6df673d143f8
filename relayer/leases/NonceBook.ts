import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { busy } from "../busy.ts";

const MAX_KEPT = 500_000;

/**
 * Nonces that were answered, by key. One is remembered for at least a lease's length: after that a lease for it is of no
 * use, since the guest counts from when it sent it.
 */
export class NonceBook {
  readonly #windowMs: number;
  readonly #now: () => number;
  #current = new Set<string>();
  #previous = new Set<string>();
  #turnsAt: number;

  /** @param now milliseconds, monotonic. */
  constructor(windowSeconds: number, now: () => number = () => performance.now()) {
    this.#windowMs = windowSeconds * 1_000;
    this.#now = now;
    this.#turnsAt = now() + this.#windowMs;
  }

  has(key: Address, nonce: Bytes32): boolean {
    this.#turn();
    return this.#current.has(key + nonce) || this.#previous.has(key + nonce);
  }

  /** @throws CharterError `relayer/busy` when no more can be remembered: what may be replayed is not answered. */
  add(key: Address, nonce: Bytes32): void {
    this.#turn();
    if (this.#current.size >= MAX_KEPT) throw busy("nonces", Math.ceil(this.#windowMs / 1_000));
    this.#current.add(key + nonce);
  }

  #turn(): void {
    const now = this.#now();
    if (now < this.#turnsAt) return;
    this.#previous = now < this.#turnsAt + this.#windowMs ? this.#current : new Set();
    this.#current = new Set();
    this.#turnsAt = now + this.#windowMs;
  }
}
