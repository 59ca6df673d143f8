import type { BlockRef } from "../../protocol/state/types.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";

/** A block as decisions name it: a number alone is not one block. */
export interface Citation {
  readonly number: number;
  readonly hash: Bytes32;
}

/** The number is a plain one: of a bigint a logger makes text the slow way. */
export const citation = ({ number, hash }: BlockRef): Citation => ({ number: Number(number), hash });
