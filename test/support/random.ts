/** A seeded source of choices: the same seed gives the same ones. */
export interface Random {
  /** 0 ≤ x < 1. */
  (): number;
  /** Whole number, 0 ≤ n < limit. */
  readonly below: (limit: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
  readonly chance: (probability: number) => boolean;
}

/** mulberry32: small, and good enough to pick operations. */
export function random(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return Object.assign(next, {
    below,
    pick: <T>(from: readonly T[]): T => from[below(from.length)] as T,
    chance: (probability: number): boolean => next() < probability,
  });
}
