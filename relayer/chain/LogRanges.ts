import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { isNoAnswer } from "./noAnswer.ts";
import { isRangeRefusal } from "./rangeRefusal.ts";

const MAX_BLOCKS = 5_000n;

/**
 * How many blocks one question for logs spans. Halved when a node says that it is too much, quartered when it takes too
 * long or when endpoints disagree (one of them may have cut its answer short); grown by an eighth with each answer.
 */
export class LogRanges {
  readonly #max: bigint;
  #size: bigint;

  constructor(max: bigint = MAX_BLOCKS) {
    this.#max = max;
    this.#size = max;
  }

  get size(): bigint {
    return this.#size;
  }

  /** A range of this size was answered. */
  answered(size: bigint): void {
    if (size < this.#size) return; // It was the rest of the way: nothing is learned.
    const grown = this.#size + this.#size / 8n + 1n;
    this.#size = grown > this.#max ? this.#max : grown;
  }

  /** A range of this size failed. May a smaller one be answered? Then it is what to ask next. */
  failed(size: bigint, error: unknown): boolean {
    const divisor = divisorFor(error);
    if (divisor === 0n || size <= 1n) return false;
    this.#size = size / divisor > 1n ? size / divisor : 1n;
    return true;
  }
}

/** 0: the failure says nothing of the range's size. */
function divisorFor(error: unknown): bigint {
  if (isRangeRefusal(error)) return 2n;
  if (isTimeout(error)) return 4n;
  if (!isCharterError(error)) return 0n;
  if (error.code === "chain/endpoints-disagree") return 4n;
  // A refusal in words that we do not know is most likely of the size; a dead node is not.
  return error.code === "chain/unreachable" && !isNoAnswer(error) ? 2n : 0n;
}

function isTimeout(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at.name === "TimeoutError") return true;
  return false;
}
