import type { Random } from "../../support/random.ts";

/** A parser with inputs that it accepts; `next` makes one call of it on a changed input. */
export interface Target {
  readonly name: string;
  /** Of the calls of a parser; less where each call checks signatures. */
  readonly share: number;
  readonly next: (random: Random) => { readonly input: unknown; readonly call: () => unknown };
}

/** How often an input is changed more than once. */
const AGAIN = 0.4;

/** Inputs of `seeds`, each changed at least once; `parse` may answer later. */
export function target<T>(
  name: string,
  seeds: readonly T[],
  mutate: (input: T, random: Random) => T,
  parse: (input: T) => unknown,
  share = 1,
): Target {
  const next = (random: Random) => {
    let input = mutate(random.pick(seeds), random);
    while (random.chance(AGAIN)) input = mutate(input, random);
    return { input, call: () => parse(input) };
  };
  return { name, share, next };
}
