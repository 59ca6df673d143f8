import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { RawLog } from "../../protocol/state/decodeLog.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import { inLanes } from "../inLanes.ts";
import { ownOf, readOwnLogs } from "./ownLogs.ts";
import type { Ours } from "./ownLogs.ts";
import { isRangeRefusal } from "./rangeRefusal.ts";
import { readHeader, readLogs, toRef } from "./rpc.ts";
import type { Header, UntimedLog } from "./rpc.ts";

/** Consecutive piece of the chain: its blocks that matter (the last one always) and their logs, in chain order. */
export interface Range {
  readonly blocks: readonly BlockRef[];
  readonly logs: readonly RawLog[];
}

/** Headers that are asked for at once. */
const LANES = 8;

/** The chain moved while it was read: nothing of the reading is used, the next tick starts over. */
const moved = (what: string) =>
  new CharterError("chain/moved", "the chain changed while it was read", { what });

const inOrder = (a: UntimedLog, b: UntimedLog) =>
  a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : a.blockNumber < b.blockNumber ? -1 : 1;

/**
 * The block after `parent`, with its logs; where a node has too many that look like ours, those of ours alone.
 * @throws CharterError `chain/moved` when it has another parent.
 */
export async function fetchNext(client: PublicClient, parent: BlockRef, ours: () => Ours): Promise<Range> {
  const header = await readHeader(client, parent.number + 1n);
  if (header.parentHash !== parent.hash) throw moved(`block ${header.number}`);
  const logs = header.mayHoldLogs
    ? await readLogs(client, { blockHash: header.hash }).catch((error: unknown) => {
        if (!isRangeRefusal(error)) throw error;
        return readOwnLogs(client, header, ours());
      })
    : [];
  return {
    blocks: [toRef(header)],
    logs: logs.sort(inOrder).map((log) => ({ ...log, blockTimestamp: header.timestamp })),
  };
}

/**
 * Blocks after `parent` up to `toBlock`. One reading of a range is not bound to a hash, so both ends are: the first
 * must follow `parent`, the last must be the same before and after, and each log must name its block's hash.
 * @throws CharterError `chain/moved`, `chain/unreachable`.
 */
export async function fetchRange(
  client: PublicClient,
  parent: BlockRef,
  toBlock: bigint,
  ours: () => Ours,
): Promise<Range> {
  const fromBlock = parent.number + 1n;
  const [first, last] = await Promise.all([readHeader(client, fromBlock), readHeader(client, toBlock)]);
  if (first.parentHash !== parent.hash) throw moved(`block ${fromBlock}`);
  // What others emit to look like ours costs no further question.
  const logs = ownOf((await readLogs(client, { fromBlock, toBlock })).sort(inOrder), ours());
  const headers = new Map<bigint, Header>([[last.number, last]]);
  const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))].filter((one) => one !== toBlock);
  for (const header of await inLanes(numbers, LANES, (number) => readHeader(client, number))) {
    headers.set(header.number, header);
  }
  const timed = logs.map((log) => {
    const header = headers.get(log.blockNumber);
    if (header?.hash !== log.blockHash) throw moved(`block ${log.blockNumber}`);
    return { ...log, blockTimestamp: header.timestamp };
  });
  if ((await readHeader(client, toBlock)).hash !== last.hash) throw moved(`block ${toBlock}`);
  const blocks = [...headers.values()].sort((a, b) => (a.number < b.number ? -1 : 1)).map(toRef);
  return { blocks, logs: timed };
}
