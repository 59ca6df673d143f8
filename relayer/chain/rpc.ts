import { BlockNotFoundError } from "viem";
import type { PublicClient } from "viem";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { EVENT_SELECTORS } from "../../protocol/state/decodeLog.ts";
import type { RawLog } from "../../protocol/state/decodeLog.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";

/** A block's identity, and whether it can hold any log at all. */
export interface Header extends BlockRef {
  readonly mayHoldLogs: boolean;
}

/** The identity alone. */
export const toRef = ({ number, hash, parentHash, timestamp }: Header): BlockRef => ({
  number,
  hash,
  parentHash,
  timestamp,
});

/** A log whose block is known by hash only. */
export type UntimedLog = Omit<RawLog, "blockTimestamp">;

/** What failed is told by a code; never by the endpoint's URL, which may hold a secret. */
export async function asChainError<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    for (let at: unknown = cause; at instanceof Error; at = at.cause) if (isCharterError(at)) throw at;
    if (cause instanceof BlockNotFoundError) {
      throw new CharterError("chain/block-missing", "the node does not have this block", { what });
    }
    const reason =
      cause instanceof Error && "shortMessage" in cause ? String(cause.shortMessage) : "no answer";
    throw new CharterError(
      "chain/unreachable",
      "the chain's node did not answer",
      { what, reason },
      { cause },
    );
  }
}

/** A block by number, hash or tag. @throws CharterError `chain/block-missing`, `chain/unreachable`. */
export async function readHeader(
  client: PublicClient,
  at: bigint | "latest" | "safe" | "finalized",
): Promise<Header> {
  const block = await asChainError(
    `block ${at}`,
    client.getBlock(typeof at === "bigint" ? { blockNumber: at } : { blockTag: at }),
  );
  if (block.hash === null || block.number === null) {
    throw new CharterError("chain/block-missing", "the node does not have this block", {
      what: `block ${at}`,
    });
  }
  return {
    number: block.number,
    hash: block.hash.toLowerCase() as Bytes32,
    parentHash: block.parentHash.toLowerCase() as Bytes32,
    timestamp: Number(block.timestamp),
    mayHoldLogs: block.logsBloom === null || !/^0x0*$/.test(block.logsBloom),
  };
}

const quantity = (value: bigint): Hex => `0x${value.toString(16)}`;

/**
 * Logs that look like ours, of these contracts or of whichever, of one block (by hash, so that a node which lacks it fails instead of answering "none") or
 * of a range. Whose contract emitted them is for the caller to check: asking by event and not by address finds an app
 * and its first events in one reading.
 */
export async function readLogs(
  client: PublicClient,
  of: { blockHash: Bytes32 } | { fromBlock: bigint; toBlock: bigint },
  addresses?: readonly Address[],
): Promise<UntimedLog[]> {
  const range =
    "blockHash" in of
      ? { blockHash: of.blockHash }
      : { fromBlock: quantity(of.fromBlock), toBlock: quantity(of.toBlock) };
  const by = addresses === undefined ? {} : { address: [...addresses] };
  const logs = await asChainError(
    "logs",
    client.request({ method: "eth_getLogs", params: [{ ...range, ...by, topics: [[...EVENT_SELECTORS]] }] }),
  );
  return logs.map((log) => {
    if (
      log.blockNumber === null ||
      log.blockHash === null ||
      log.transactionHash === null ||
      log.logIndex === null
    ) {
      throw new CharterError("chain/unreachable", "the chain's node gave a log of no block", {
        what: "logs",
      });
    }
    return {
      address: log.address.toLowerCase() as Address,
      topics: log.topics.map((topic) => topic.toLowerCase() as Hex),
      data: log.data.toLowerCase() as Hex,
      blockNumber: BigInt(log.blockNumber),
      blockHash: log.blockHash.toLowerCase() as Bytes32,
      transactionHash: log.transactionHash.toLowerCase() as Hex,
      logIndex: Number(log.logIndex),
    };
  });
}
