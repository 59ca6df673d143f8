import type { Hex } from "../../protocol/words/hex.ts";

/** Rows of a statement's VALUES, and what its parameters are. */
export interface ValueRows {
  readonly text: string;
  readonly values: unknown[];
}

/**
 * Many rows as parameters of their own, `($1::text, $2::json), ($3::text, $4::json)`: where a value is long, an array of
 * them is written with escapes and read character by character. At most 65,535 values in all.
 */
export function valueRows(types: readonly string[], rows: readonly (readonly unknown[])[]): ValueRows {
  const row = (_: unknown, index: number): string =>
    `(${types.map((type, column) => `$${index * types.length + column + 1}::${type}`).join(", ")})`;
  return { text: rows.map(row).join(", "), values: rows.flat() };
}

/** `{a,b}`: an array parameter of words that need no quotes, which a client would look for in each of them. */
export const wordArray = (words: readonly (Hex | bigint | number)[]): string => `{${words.join(",")}}`;
