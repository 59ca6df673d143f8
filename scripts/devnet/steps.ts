/** Something that was started and has to be stopped. Stopped in reverse order of starting. */
export interface Stoppable {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts things one after another with progress shown, and stops all of them in reverse order, also when a step
 * fails or is interrupted half-way: whatever had started by then is stopped, and nothing else is started.
 */
export class Steps {
  readonly #started: Stoppable[] = [];
  readonly #print: (line: string) => void;
  readonly #signal: AbortSignal;
  #stopping: Promise<void> | null = null;

  constructor(print: (line: string) => void, signal: AbortSignal) {
    this.#print = print;
    this.#signal = signal;
  }

  /** Runs one step; `keep` says how to undo it. */
  async run<T>(name: string, work: () => Promise<T>, keep?: (result: T) => Stoppable["stop"]): Promise<T> {
    this.#signal.throwIfAborted();
    const startedAt = performance.now();
    const result = await work();
    if (keep) this.#started.push({ name, stop: keep(result) });
    this.#print(`  ✓ ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    return result;
  }

  /** Stops everything, last started first. A stop that fails is reported and does not keep the others running. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const { name, stop } of this.#started.reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#print(
          `  ! ${name} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
