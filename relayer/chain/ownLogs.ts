import type { PublicClient } from "viem";

import { decodeLog } from "../../protocol/state/decodeLog.ts";
import type { BlockRef, ChainEvent } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { inLanes } from "../inLanes.ts";
import { readLogs } from "./rpc.ts";
import type { UntimedLog } from "./rpc.ts";

/** Contracts whose events make the state: what they are by address. */
export type Ours = ReadonlyMap<Address, ChainEvent["contract"]>;

/** Providers take some hundred addresses in one question. */
const ADDRESSES = 200;
/** Questions at once. */
const LANES = 4;

/** Apps that these logs of the registry's made. */
const createdBy = (logs: readonly UntimedLog[], ours: Ours): Address[] =>
  logs.flatMap((log) => {
    if (ours.get(log.address) !== "appRegistry") return [];
    const event = decodeLog("appRegistry", { ...log, blockTimestamp: 0 });
    return event?.name === "AppCreated" ? [event.args["app"] as Address] : [];
  });

/** Those of our contracts alone, of apps that are made by them too. */
export function ownOf(logs: readonly UntimedLog[], ours: Ours): UntimedLog[] {
  const created = new Set(createdBy(logs, ours));
  return logs.filter(({ address }) => ours.has(address) || created.has(address));
}

/**
 * A block's logs of our contracts alone, asked by their addresses. Anyone may emit events that look like ours, for the price
 * of their gas as many in one block as no node answers at once; what emitted them does not matter then. An app's first
 * events stand in the block that made it, so those made here are asked after the others.
 */
export async function readOwnLogs(
  client: PublicClient,
  { hash }: Pick<BlockRef, "hash">,
  ours: Ours,
): Promise<UntimedLog[]> {
  const logsOf = async (addresses: readonly Address[]): Promise<UntimedLog[]> => {
    const parts = Array.from({ length: Math.ceil(addresses.length / ADDRESSES) }, (_, part) =>
      addresses.slice(part * ADDRESSES, (part + 1) * ADDRESSES),
    );
    return (await inLanes(parts, LANES, (part) => readLogs(client, { blockHash: hash }, part))).flat();
  };
  const known = await logsOf([...ours.keys()]);
  const created = createdBy(known, ours).filter((app) => !ours.has(app));
  return [...known, ...(await logsOf(created))];
}
