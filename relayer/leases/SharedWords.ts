import type { VerdictMessage } from "../../protocol/session/messages.ts";

const MAX_KEPT = 4_096;

/**
 * Verdicts of many instances say the same of their app, code and machine. What comes from the store or from a thread comes
 * as texts of its own; here each is kept once, which is a kilobyte less for each instance.
 */
export class SharedWords {
  readonly #kept = new Map<string, string>();

  /** The same verdict. */
  of(verdict: VerdictMessage): VerdictMessage {
    return {
      ...verdict,
      consumer: this.#one(verdict.consumer),
      subject: this.#one(verdict.subject),
      evidenceBlockHash: this.#one(verdict.evidenceBlockHash),
      platformId: this.#one(verdict.platformId),
      composeHash: this.#one(verdict.composeHash),
      osImageHash: this.#one(verdict.osImageHash),
      measurementDigest: this.#one(verdict.measurementDigest),
      pinnedMeasurementDigest: this.#one(verdict.pinnedMeasurementDigest),
      advisoriesDigest: this.#one(verdict.advisoriesDigest),
      gpuDigest: this.#one(verdict.gpuDigest),
    };
  }

  #one<T extends string>(text: T): T {
    const known = this.#kept.get(text);
    if (known !== undefined) return known as T;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear(); // Whoever holds one of them keeps it.
    this.#kept.set(text, text);
    return text;
  }
}
