/** What had gone in, and what had come out, at one moment. */
export interface Passage {
  /** Milliseconds. */
  readonly at: number;
  readonly accepted: number;
  readonly final: number;
}

/**
 * Per second, what goes through while all stages are busy: between the first finality and the last one before the input
 * ends. What goes in and what comes out are both counted, and the lower one is the rate: neither a queue that grows nor
 * one that drains may flatter it. Undefined where there are fewer than three finalities to count between.
 */
export function steadyRate(passages: readonly Passage[], all: number): number | undefined {
  const steps = passages.filter(({ final, accepted }, index) => {
    const before = passages[index - 1];
    return final > (before?.final ?? 0) && accepted < all;
  });
  const [first, last] = [steps[0], steps.at(-1)];
  if (steps.length < 3 || first === undefined || last === undefined) return undefined;
  const seconds = (last.at - first.at) / 1_000;
  return Math.min((last.accepted - first.accepted) / seconds, (last.final - first.final) / seconds);
}
