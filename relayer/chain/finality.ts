import type { PublicClient } from "viem";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import { isNoAnswer } from "./noAnswer.ts";
import { readHeader, toRef } from "./rpc.ts";

/** When a block counts as final: the node's own word for it, or a number of blocks on top. */
export type Finality = "finalized" | "safe" | number;

/**
 * The final block as of `head`.
 * @throws CharterError `chain/finality-unavailable` when the node does not know the tag, `chain/unreachable`.
 */
export async function readFinalBlock(
  client: PublicClient,
  finality: Finality,
  head: BlockRef,
): Promise<BlockRef> {
  if (typeof finality === "number") {
    if (finality === 0) return head;
    const number = head.number - BigInt(finality);
    return toRef(await readHeader(client, number > 0n ? number : 0n));
  }
  try {
    return toRef(await readHeader(client, finality));
  } catch (error) {
    // That endpoints disagree, of which one may have moved on, says nothing of what they know.
    if (!isCharterError(error) || isNoAnswer(error) || error.code === "chain/endpoints-disagree") throw error;
    throw new CharterError(
      "chain/finality-unavailable",
      "the node knows no such finality: configure another, or a number of confirmations",
      { finality },
      { cause: error },
    );
  }
}
