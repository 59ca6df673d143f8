import { fromRlp, keccak256, toRlp } from "viem";

import { CharterError } from "../errors/CharterError.ts";
import type { RawLog } from "../state/decodeLog.ts";
import type { Address, Bytes32, Hex } from "../words/hex.ts";
import { provenValue, trieProof, trieRoot } from "./trie.ts";

/** Block header fields by their names in JSON-RPC, in the order in which they are hashed (EIP-1559, 4895, 4844, 4788, 7685). */
const HEADER_FIELDS = [
  ["parentHash", "data"],
  ["sha3Uncles", "data"],
  ["miner", "data"],
  ["stateRoot", "data"],
  ["transactionsRoot", "data"],
  ["receiptsRoot", "data"],
  ["logsBloom", "data"],
  ["difficulty", "quantity"],
  ["number", "quantity"],
  ["gasLimit", "quantity"],
  ["gasUsed", "quantity"],
  ["timestamp", "quantity"],
  ["extraData", "data"],
  ["mixHash", "data"],
  ["nonce", "data"],
  ["baseFeePerGas", "quantity"],
  ["withdrawalsRoot", "data"],
  ["blobGasUsed", "quantity"],
  ["excessBlobGas", "quantity"],
  ["parentBeaconBlockRoot", "data"],
  ["requestsHash", "data"],
] as const;
const [RECEIPTS_ROOT, NUMBER, TIMESTAMP] = [5, 8, 11];

/** A receipt as JSON-RPC gives it, as far as it is hashed. */
export interface RpcReceipt {
  readonly type: Hex;
  readonly status: Hex;
  readonly cumulativeGasUsed: Hex;
  readonly logsBloom: Hex;
  readonly transactionIndex: Hex;
  readonly logs: readonly {
    readonly address: Hex;
    readonly topics: readonly Hex[];
    readonly data: Hex;
    readonly logIndex: Hex;
  }[];
}

/** Shows that a log stands in a block: the block's header, and its receipt under the header's receipts root. */
export interface LogProof {
  /** RLP; its keccak256 is the block's hash. */
  readonly header: Hex;
  readonly transactionIndex: number;
  /** Trie nodes from the receipts root to the receipt. */
  readonly receipt: readonly Hex[];
  /** Which of the receipt's logs it is. */
  readonly logPosition: number;
}

/**
 * Makes the proof of one log from a block and all of its receipts, as a node gives them.
 * @throws CharterError `proof/node` when they do not hash to what the block says: then the node's word is all there is.
 */
export function proveLog(
  block: Readonly<Record<string, unknown>>,
  receipts: readonly RpcReceipt[],
  logIndex: number,
): LogProof {
  const header = encodeHeader(block);
  if (keccak256(header) !== block.hash) {
    throw new CharterError("proof/node", "the block's fields do not hash to its hash", {
      expected: block.hash,
    });
  }
  const entries = receipts.map((receipt) => ({
    key: keyOf(Number(receipt.transactionIndex)),
    value: encodeReceipt(receipt),
  }));
  if (trieRoot(entries) !== block.receiptsRoot) {
    throw new CharterError("proof/node", "the receipts do not hash to the block's receipts root", {
      expected: block.receiptsRoot,
    });
  }
  for (const receipt of receipts) {
    const logPosition = receipt.logs.findIndex((log) => Number(log.logIndex) === logIndex);
    if (logPosition < 0) continue;
    const transactionIndex = Number(receipt.transactionIndex);
    return { header, transactionIndex, receipt: trieProof(entries, keyOf(transactionIndex)), logPosition };
  }
  throw new CharterError("proof/node", "no receipt of the block holds the log", { logIndex });
}

/**
 * The log that a proof shows, with the block that it stands in.
 * @throws CharterError `proof/invalid`.
 */
export function provenLog(
  proof: LogProof,
): Pick<RawLog, "address" | "topics" | "data" | "blockNumber" | "blockHash" | "blockTimestamp"> {
  const header = listOf(proof.header, "a header");
  const receiptsRoot = header[RECEIPTS_ROOT] as Hex | undefined;
  if (typeof receiptsRoot !== "string") throw invalid("a header with a receipts root");
  const value = provenValue(receiptsRoot, keyOf(proof.transactionIndex), proof.receipt);
  // EIP-2718: a byte below 0x80 before the list names the transaction's type.
  const isTyped = Number.parseInt(value.slice(2, 4), 16) < 0x80;
  const body: Hex = isTyped ? `0x${value.slice(4)}` : value;
  const logs = listOf(body, "a receipt")[3];
  const log = Array.isArray(logs) ? (logs[proof.logPosition] as unknown) : undefined;
  if (!Array.isArray(log) || log.length !== 3) throw invalid("a log at the position");
  const [address, topics, data] = log as [Hex, readonly Hex[], Hex];
  return {
    address: address as Address,
    topics,
    data,
    blockNumber: BigInt(quantity(header[NUMBER])),
    blockHash: keccak256(proof.header) as Bytes32,
    blockTimestamp: Number(quantity(header[TIMESTAMP])),
  };
}

const keyOf = (index: number): Hex => toRlp(index === 0 ? "0x" : trimmed(`0x${index.toString(16)}`));

function encodeHeader(block: Readonly<Record<string, unknown>>): Hex {
  const fields: Hex[] = [];
  for (const [name, kind] of HEADER_FIELDS) {
    const value = block[name];
    // Later fields are missing from blocks of older rules.
    if (value === undefined || value === null) break;
    fields.push(kind === "data" ? (value as Hex) : trimmed(value as Hex));
  }
  return toRlp(fields);
}

function encodeReceipt({ type, status, cumulativeGasUsed, logsBloom, logs }: RpcReceipt): Hex {
  const body = toRlp([
    trimmed(status),
    trimmed(cumulativeGasUsed),
    logsBloom,
    logs.map(({ address, topics, data }) => [address, [...topics], data]),
  ]);
  return Number(type) === 0 ? body : `0x${Number(type).toString(16).padStart(2, "0")}${body.slice(2)}`;
}

/** A quantity as RLP wants it: big-endian, without leading zeros; zero is empty. */
function trimmed(value: Hex): Hex {
  const digits = BigInt(value).toString(16);
  return BigInt(value) === 0n ? "0x" : `0x${digits.length % 2 === 1 ? "0" : ""}${digits}`;
}

const quantity = (value: unknown): Hex =>
  typeof value === "string" && value !== "0x" ? (value as Hex) : "0x0";

function listOf(raw: Hex, what: string): readonly unknown[] {
  try {
    const decoded = fromRlp(raw, "hex") as unknown;
    if (Array.isArray(decoded)) return decoded;
  } catch {
    // Said below.
  }
  throw invalid(what);
}

const invalid = (expected: string): CharterError =>
  new CharterError("proof/invalid", `not a proof of inclusion: expected ${expected}`, { expected });
