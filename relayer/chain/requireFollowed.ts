import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import { readHeader } from "./rpc.ts";
import type { StateTracker } from "./stateTracker.ts";

/**
 * A final block must lie on the chain that was followed, or its events are not those that were folded. Where a range
 * was read without it, the chain is asked for it by number, and for the next block that was followed after that: both
 * as they should be, in this order, puts it below that block.
 * @throws CharterError `chain/final-not-followed`, `chain/unreachable`.
 */
export async function requireFollowed(
  client: PublicClient,
  tracker: Pick<StateTracker, "followedFrom">,
  final: BlockRef,
): Promise<void> {
  const above = tracker.followedFrom(final.number);
  if (above === undefined) throw notFollowed(final, null);
  if (above.number === final.number) {
    if (above.hash !== final.hash) throw notFollowed(final, above.hash);
    return;
  }
  const there = await readHeader(client, final.number);
  if (there.hash !== final.hash) throw notFollowed(final, there.hash);
  if (above.number === final.number + 1n) {
    if (above.parentHash !== final.hash) throw notFollowed(final, above.parentHash);
    return;
  }
  const next = await readHeader(client, above.number);
  if (next.hash !== above.hash) throw notFollowed(final, null);
}

const notFollowed = (final: BlockRef, actual: string | null): CharterError =>
  new CharterError("chain/final-not-followed", "the final block is not on the chain that was followed", {
    number: final.number,
    expected: final.hash,
    actual,
  });
