import { decodeFunctionData, encodeFunctionData, type Abi, type AbiFunction } from "viem";
import { getAbiItem } from "viem/utils";

import type { Address, Hex } from "../../../protocol/words/hex.ts";

/** A call as a Governor, a Safe or a Timelock keeps it. */
export interface RawCall {
  readonly to: Address;
  readonly value: bigint;
  readonly data: Hex;
}

/** A call by its function's own names. */
export interface DecodedCall {
  readonly functionName: string;
  /** Keys are the parameters' names. */
  readonly args: readonly { readonly name: string; readonly type: string; readonly value: unknown }[];
}

/**
 * Calldata by an ABI, or null when it is not exactly a call of it: what decodes but encodes to other bytes (bytes after
 * the arguments, dirty padding) is not shown as something that it only resembles.
 */
export function decodeCall(abi: Abi, data: Hex): DecodedCall | null {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    if (encodeFunctionData({ abi, functionName, args }) !== data) return null;
    const item = getAbiItem({ abi, name: data.slice(0, 10) }) as AbiFunction;
    return {
      functionName,
      args: item.inputs.map(({ name, type }, i) => ({ name: name ?? String(i), type, value: args[i] })),
    };
  } catch {
    return null;
  }
}
