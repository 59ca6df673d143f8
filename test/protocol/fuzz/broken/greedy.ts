import { target, type Target } from "../target.ts";

/** A parser that keeps ever more of what it was given. */
export function targets(): Promise<Target[]> {
  const kept: number[][] = [];
  const keep = (): unknown => kept.push(Array.from({ length: 1_000_000 }, (_, i) => i + 0.5));
  return Promise.resolve([target("greedy", [""], (input) => input, keep)]);
}
