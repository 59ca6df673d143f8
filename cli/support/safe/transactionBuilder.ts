import { getAddress, keccak256, stringToBytes, type AbiFunction, type AbiParameter } from "viem";
import { getAbiItem } from "viem/utils";

import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { toJson } from "../output.ts";
import type { Call } from "../send.ts";

interface Input {
  readonly internalType: string;
  readonly name: string;
  readonly type: string;
  readonly components?: readonly Input[];
}

/** A batch as Safe's Transaction Builder reads and writes it (safe-wallet-monorepo, apps/tx-builder). */
export interface Batch {
  readonly version: "1.0";
  readonly chainId: string;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly transactions: readonly {
    readonly to: string;
    readonly value: string;
    readonly data: null;
    readonly contractMethod: {
      readonly inputs: readonly Input[];
      readonly name: string;
      readonly payable: boolean;
    };
    readonly contractInputsValues: Readonly<Record<string, string>>;
  }[];
}

/** Who made a batch, for whom, and what for. */
export interface BatchOrigin {
  readonly chainId: number;
  readonly safe: Address;
  readonly owner: Address;
  readonly name: string;
  readonly description: string;
  /** Unix seconds. */
  readonly now: number;
}

/** One call as a batch whose method and arguments people can read before they sign. */
export function transactionBatch(call: Call, origin: BatchOrigin): Batch {
  const item = getAbiItem({ abi: call.abi, name: call.functionName, args: call.args }) as AbiFunction;
  const values = item.inputs.map((input, i) => [input.name ?? "", valueText(input, call.args[i])] as const);
  const batch: Batch = {
    version: "1.0",
    chainId: String(origin.chainId),
    createdAt: origin.now * 1000,
    meta: {
      name: origin.name,
      description: origin.description,
      txBuilderVersion: "1.18.0",
      createdFromSafeAddress: getAddress(origin.safe),
      createdFromOwnerAddress: getAddress(origin.owner),
    },
    transactions: [
      {
        to: getAddress(call.address),
        value: "0",
        data: null,
        contractMethod: { inputs: item.inputs.map(inputOf), name: item.name, payable: false },
        contractInputsValues: Object.fromEntries(values),
      },
    ],
  };
  return { ...batch, meta: { ...batch.meta, checksum: batchChecksum(batch) } };
}

/**
 * The Transaction Builder's own checksum (`checksum.ts`, calculateChecksum): keccak256 of its serialization, `meta.name`
 * as null, and without a checksum.
 */
export function batchChecksum(batch: Batch): Hex {
  const { checksum: _, ...meta } = batch.meta;
  return keccak256(stringToBytes(serialized({ ...batch, meta: { ...meta, name: null } })));
}

/** No JSON: each object is its sorted keys and then its values, each followed by a comma. */
function serialized(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(serialized).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).sort();
  const values = keys.map((key) => `${serialized((value as Record<string, unknown>)[key])},`);
  return `{${JSON.stringify(keys)}${values.join("")}}`;
}

const inputOf = (input: AbiParameter): Input => ({
  internalType: input.internalType ?? input.type,
  name: input.name ?? "",
  type: input.type,
  ...("components" in input ? { components: input.components.map(inputOf) } : {}),
});

/**
 * An argument as its input field takes it: text, or JSON with tuples as lists and numbers as text, since the Builder
 * reads tuples with JSON.parse, which would round long numbers.
 */
function valueText(input: AbiParameter, value: unknown): string {
  const plain = plainOf(input, value);
  return typeof plain === "string" ? plain : toJson(plain);
}

function plainOf(input: AbiParameter, value: unknown): unknown {
  if (input.type.endsWith("]")) {
    const item = { ...input, type: input.type.replace(/\[\d*\]$/, "") };
    return (value as readonly unknown[]).map((one) => plainOf(item, one));
  }
  if ("components" in input) {
    return input.components.map((inner) =>
      plainOf(inner, (value as Record<string, unknown>)[inner.name ?? ""]),
    );
  }
  if (input.type === "address") return getAddress(value as Hex);
  return String(value);
}
