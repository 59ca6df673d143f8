import { pause } from "../pause.ts";

/** A pause that news ends; what came since the last one ends the next at once. */
export class Wakeup {
  #woken = false;
  #end: (() => void) | null = null;

  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken) {
      const told = new AbortController();
      this.#end = () => {
        this.#end = null;
        told.abort();
      };
      await pause(milliseconds, AbortSignal.any([signal, told.signal]));
      this.#end = null;
    }
    this.#woken = false;
  }
}
