import type { Log, PublicClient } from "viem";

import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import { contractsOf } from "../../protocol/deployment/contracts.ts";
import { applyEvent } from "../../protocol/state/applyEvent.ts";
import { emptyChainState } from "../../protocol/state/chainState.ts";
import { decodeLog } from "../../protocol/state/decodeLog.ts";
import type { AppState, BlockRef, ChainEvent, ChainState } from "../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

/** Blocks of logs that one call asks for. */
const RANGE = 10_000n;

/**
 * Everything that the contracts' events say, replayed here: lists need no indexer and no relayer to be believed. As of the
 * newest block, or of another.
 */
export async function readChainState(
  context: Context,
  at: { readonly blockTag: "finalized" } | { readonly blockNumber: bigint } | undefined = undefined,
): Promise<{ state: ChainState; time: number; block: BlockRef }> {
  const client = await context.client();
  const deployment = context.deployment();
  const head = await client.getBlock(at);
  const fixed = contractsOf(deployment);
  const times = new Map<bigint, number>();
  const events = await readEvents(client, fixed, BigInt(deployment.startBlock), head.number, times);
  const apps = new Map<Address, ChainEvent["contract"]>(
    events.filter((event) => event.name === "AppCreated").map((event) => [event.args.app as Address, "app"]),
  );
  if (apps.size > 0) {
    events.push(...(await readEvents(client, apps, BigInt(deployment.startBlock), head.number, times)));
  }
  events.sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
  const state = emptyChainState();
  for (const event of events) applyEvent(state, event);
  const { number, timestamp } = head;
  const hash = head.hash as Bytes32;
  const parentHash = head.parentHash as Bytes32;
  return {
    state,
    time: Number(timestamp),
    block: { number, hash, parentHash, timestamp: Number(timestamp) },
  };
}

/** Every event of one app of the registry, in chain order. @throws CliError `app/unknown`. */
export async function readAppEvents(context: Context, address: Address): Promise<ChainEvent[]> {
  const client = await context.client();
  const { appRegistry, startBlock } = context.deployment();
  const isOurs = await client.readContract({
    address: appRegistry,
    abi: appRegistryAbi,
    functionName: "isApp",
    args: [address],
  });
  if (!isOurs) throw unknownApp(address);
  const head = await client.getBlockNumber({ cacheTime: 0 });
  return readEvents(client, new Map([[address, "app"]]), BigInt(startBlock), head, new Map());
}

/** One app of the registry, or `app/unknown`. */
export async function requireApp(
  context: Context,
  address: Address,
): Promise<{ state: AppState; time: number }> {
  const { state, time } = await readChainState(context);
  return { state: appOf(state, address), time };
}

/** One app of a state, or `app/unknown`. */
export function appOf(state: ChainState, address: Address): AppState {
  const app = state.apps.get(address);
  if (app) return app;
  throw unknownApp(address);
}

const unknownApp = (address: Address): CliError =>
  new CliError(ExitCode.Refused, "app/unknown", "expected an app of this deployment's registry", { address });

async function readEvents(
  client: PublicClient,
  contracts: ReadonlyMap<Address, ChainEvent["contract"]>,
  from: bigint,
  to: bigint,
  times: Map<bigint, number>,
): Promise<ChainEvent[]> {
  const events: ChainEvent[] = [];
  for (const log of await readLogs(client, [...contracts.keys()], from, to)) {
    const address = log.address.toLowerCase() as Address;
    const decoded = decodeLog(contracts.get(address) as ChainEvent["contract"], {
      address,
      topics: log.topics as readonly Hex[],
      data: log.data,
      blockNumber: log.blockNumber,
      blockHash: log.blockHash as Bytes32,
      blockTimestamp: await timeOf(client, log.blockNumber, times),
      transactionHash: log.transactionHash,
      logIndex: log.logIndex,
    });
    if (decoded) events.push(decoded);
  }
  return events;
}

/** Every log of some contracts in a range of blocks, both ends included, asked for in pieces. */
export async function readLogs(
  client: PublicClient,
  addresses: Address[],
  from: bigint,
  to: bigint,
): Promise<Log<bigint, number, false>[]> {
  const logs: Log<bigint, number, false>[] = [];
  for (let start = from; start <= to; start += RANGE) {
    const end = start + RANGE - 1n < to ? start + RANGE - 1n : to;
    logs.push(...(await client.getLogs({ address: addresses, fromBlock: start, toBlock: end })));
  }
  return logs;
}

async function timeOf(
  client: PublicClient,
  blockNumber: bigint,
  times: Map<bigint, number>,
): Promise<number> {
  const known = times.get(blockNumber);
  if (known !== undefined) return known;
  const time = Number((await client.getBlock({ blockNumber })).timestamp);
  times.set(blockNumber, time);
  return time;
}
