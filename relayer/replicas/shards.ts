import { createHash } from "node:crypto";

import type { Address, Bytes32 } from "../../protocol/words/hex.ts";

/** Apps are dealt out in so many parts; more than an operator has replicas, so that each gets about as much. */
export const SHARDS = 32;

/** Work of which there is one at a time, whatever the app. */
export const KEEPER = "collateral";

export const shardName = (shard: number): string => `apps/${shard}`;

/** The part that an app belongs to; or an operator, or a batch by its root. Each is a hash's end: any byte of it is even. */
export const shardOf = (app: Address | Bytes32): string =>
  shardName(Number.parseInt(app.slice(-2), 16) % SHARDS);

export const ALL_WORK: readonly string[] = [
  KEEPER,
  ...Array.from({ length: SHARDS }, (_, shard) => shardName(shard)),
];

/**
 * Which of the living replicas should do this work: the same answer in each, and when one comes or goes only its own
 * work moves (rendezvous hashing).
 */
export function chosenFor(name: string, replicas: readonly string[]): string | undefined {
  let best: { readonly replica: string; readonly score: string } | undefined;
  for (const replica of replicas) {
    const score = createHash("sha256").update(`${name}\n${replica}`).digest("hex");
    if (best === undefined || score > best.score) best = { replica, score };
  }
  return best?.replica;
}
