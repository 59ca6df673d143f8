import { pause } from "./pause.ts";

const MAX_BACKOFF_MS = 10_000;

/** Something that is done again and again, sooner when woken, and less often while it fails. */
export class Beat {
  #wake: (() => void) | null = null;
  #isWoken = false;

  /** Ends the current wait of `run`, or the next one where none is under way. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /**
   * Runs `work` every `everyMs`, which may be asked for after each time, until `signal` aborts. A failure is told, and waited
   * out with jitter, longer each time.
   * @param restMs rest after each turn, however often it is woken: what comes meanwhile is done together.
   */
  async run(
    work: () => Promise<unknown>,
    everyMs: number | (() => number),
    signal: AbortSignal,
    onFailed: (cause: unknown) => void = () => undefined,
    restMs = 0,
  ): Promise<void> {
    let waitMs = 0;
    while (!signal.aborted) {
      this.#isWoken = false;
      try {
        await work();
        waitMs = typeof everyMs === "number" ? everyMs : everyMs();
        if (restMs > 0) await pause(restMs, signal);
        if (this.#isWoken) continue;
      } catch (cause) {
        onFailed(cause);
        waitMs = Math.min(MAX_BACKOFF_MS, Math.max(waitMs, 100) * 2) * (0.75 + Math.random() / 2);
      }
      const woken = new AbortController();
      // Once: each time would make another error, though nothing listens any more.
      this.#wake = () => {
        this.#wake = null;
        woken.abort();
      };
      await pause(waitMs, AbortSignal.any([signal, woken.signal]));
      this.#wake = null;
    }
  }
}
