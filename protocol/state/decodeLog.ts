import { decodeEventLog, toEventSelector } from "viem";
import type { Abi, AbiEvent } from "viem";

import { advisorySetsAbi } from "../abi/advisorySets.ts";
import { appAbi } from "../abi/app.ts";
import { appRegistryAbi } from "../abi/appRegistry.ts";
import { attestationLedgerAbi } from "../abi/attestationLedger.ts";
import { committeeVerifierAbi } from "../abi/committeeVerifier.ts";
import { dcapCollateralAbi } from "../abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../abi/dcapVerifier.ts";
import { endorsementsAbi } from "../abi/endorsements.ts";
import { nodeRegistryAbi } from "../abi/nodeRegistry.ts";
import { CharterError } from "../errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../words/hex.ts";
import type { ChainEvent } from "./types.ts";

const ABIS: Readonly<Record<ChainEvent["contract"], Abi>> = {
  app: appAbi,
  appRegistry: appRegistryAbi,
  nodeRegistry: nodeRegistryAbi,
  attestationLedger: attestationLedgerAbi,
  committeeVerifier: committeeVerifierAbi,
  advisorySets: advisorySetsAbi,
  endorsements: endorsementsAbi,
  dcapCollateral: dcapCollateralAbi,
  dcapVerifier: dcapVerifierAbi,
};

const selectorsOf = (abi: Abi): Hex[] =>
  abi.filter((item): item is AbiEvent => item.type === "event").map((item) => toEventSelector(item));

const SELECTORS = new Map(
  Object.entries(ABIS).map(([contract, abi]) => [
    contract as ChainEvent["contract"],
    new Set(selectorsOf(abi)),
  ]),
);

/** First topics of every event of ours: what a log filter asks for. */
export const EVENT_SELECTORS: readonly Hex[] = [
  ...new Set([...SELECTORS.values()].flatMap((set) => [...set])),
];

/** A log as a node gives it, with its block's time (unix seconds). */
export interface RawLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  readonly blockTimestamp: number;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}

/** Values as this project writes them: hex in lower case, all the way down. */
function lower(value: unknown): unknown {
  if (typeof value === "string") return /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value;
  if (Array.isArray(value)) return value.map(lower);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, lower(inner)]));
  }
  return value;
}

/**
 * Decodes a log of one of our contracts by its typed ABI; null when that contract's interface has no such event.
 * @throws CharterError `state/undecodable` for a log that names one of its events but does not hold one.
 */
export function decodeLog(contract: ChainEvent["contract"], log: RawLog): ChainEvent | null {
  const [selector, ...rest] = log.topics;
  if (selector === undefined || SELECTORS.get(contract)?.has(selector) !== true) return null;
  try {
    const { eventName, args } = decodeEventLog({
      abi: ABIS[contract],
      topics: [selector, ...rest],
      data: log.data,
      strict: true,
    });
    return {
      contract,
      address: log.address,
      name: eventName ?? "",
      args: lower(args ?? {}) as Record<string, unknown>,
      blockNumber: log.blockNumber,
      blockHash: log.blockHash,
      blockTimestamp: log.blockTimestamp,
      transactionHash: log.transactionHash,
      logIndex: log.logIndex,
    };
  } catch (cause) {
    throw new CharterError(
      "state/undecodable",
      "a log names an event of its contract but does not hold one",
      { contract, address: log.address, blockNumber: log.blockNumber, logIndex: log.logIndex },
      { cause },
    );
  }
}
