import type { Log } from "ethers";

import { decodeLog } from "../../../protocol/state/decodeLog.ts";
import type { ChainEvent } from "../../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";

/** What a log of one of our contracts says; null when it is none of its events. `time` is its block's. */
export const eventOf = (contract: ChainEvent["contract"], log: Log, time: number): ChainEvent | null =>
  decodeLog(contract, {
    address: log.address.toLowerCase() as Address,
    topics: log.topics as readonly Hex[],
    data: log.data as Hex,
    blockNumber: BigInt(log.blockNumber),
    blockHash: log.blockHash as Bytes32,
    blockTimestamp: time,
    transactionHash: log.transactionHash as Hex,
    logIndex: log.index,
  });
