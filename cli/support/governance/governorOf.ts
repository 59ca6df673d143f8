import type { Address } from "../../../protocol/words/hex.ts";
import type { Context } from "../context.ts";

/** The Governor that `dao` commands are about: --governor, or the address book's. */
export const governorOf = (context: Context): Address => context.governor() ?? context.deployment().governor;
