import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ChainStore, TakenBack } from "../store/chainStore.ts";

/**
 * Whether what was called final still is. Once a reorg has taken such a block back, nothing may be granted by any
 * replica until an operator has settled it: the finality that grants rest on was none.
 */
export class FinalityGuard {
  readonly #store: Pick<ChainStore, "takenBack">;
  readonly #onTakenBack: (block: TakenBack) => void;
  #takenBack: TakenBack | null = null;
  /** The store knows of it: so it is over when the store says so. */
  #kept = false;
  #count = 0;

  constructor(store: Pick<ChainStore, "takenBack">, onTakenBack: (block: TakenBack) => void) {
    this.#store = store;
    this.#onTakenBack = onTakenBack;
  }

  /** How often since start. */
  get count(): number {
    return this.#count;
  }

  /** Why nothing may be granted; null when all is well. */
  get error(): CharterError | null {
    if (this.#takenBack === null) return null;
    const { number, hash } = this.#takenBack;
    const message = `block ${number} (${hash}) was final, and a reorg took it back`;
    return new CharterError("chain/deep-reorg", message, { number, hash });
  }

  /** From now on nothing is granted; before anything is written. */
  halt({ number, hash }: TakenBack): void {
    if (this.#takenBack !== null) return;
    this.#takenBack = { number, hash };
    this.#count += 1;
    this.#onTakenBack(this.#takenBack);
  }

  /** What the replicas know together. */
  async refresh(): Promise<void> {
    const kept = await this.#store.takenBack();
    if (kept !== null) {
      this.halt(kept);
      this.#kept = true;
    } else if (this.#kept) {
      this.#takenBack = null;
      this.#kept = false;
    }
  }
}
