import type { Address } from "../../protocol/words/hex.ts";

/** Something of each instance, by app and key: without a text of both for each, which of many would be megabytes. */
export class InstanceMap<T> {
  readonly #ofApp = new Map<Address, Map<Address, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(app: Address, key: Address): T | undefined {
    return this.#ofApp.get(app)?.get(key);
  }

  set(app: Address, key: Address, value: T): void {
    const keys = this.#ofApp.get(app) ?? new Map<Address, T>();
    this.#ofApp.set(app, keys);
    const before = keys.size;
    keys.set(key, value);
    this.#size += keys.size - before;
  }

  delete(app: Address, key: Address): void {
    const keys = this.#ofApp.get(app);
    if (keys?.delete(key) !== true) return;
    this.#size--;
    if (keys.size === 0) this.#ofApp.delete(app);
  }

  /** Of all apps or of one. */
  *values(app?: Address): Generator<T, void, undefined> {
    if (app !== undefined) yield* this.#ofApp.get(app)?.values() ?? [];
    else for (const keys of this.#ofApp.values()) yield* keys.values();
  }

  /** Deletes what `isOver`. */
  prune(isOver: (value: T) => boolean): void {
    for (const [app, keys] of this.#ofApp) {
      for (const [key, value] of keys) if (isOver(value)) this.delete(app, key);
    }
  }
}
