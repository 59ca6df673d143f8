import { keccak256, stringToHex } from "viem";

import type { Hex } from "../../protocol/words/hex.ts";

/** The instance key of the bench's guest with this number. */
export const keyAt = (index: number): Hex => keccak256(stringToHex(`charter bench guest ${index}`));
