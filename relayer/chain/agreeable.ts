import type { RpcCall } from "./Endpoint.ts";

/** How several endpoints answer one question. */
export type Agreement =
  /** The same at every honest node. */
  | "same"
  /** Each node's own reckoning: the middle one of a majority is within what honest nodes say. */
  | "middle"
  /** Neither: the quickest answers. */
  | "any";

const HEADS: ReadonlySet<unknown> = new Set(["latest", "safe", "finalized"]);

/** Where the block stands among a method's parameters. */
const BLOCK_AT: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_getCode: 1,
  eth_getBalance: 1,
  eth_getTransactionCount: 1,
  eth_getStorageAt: 2,
};

const SAME: ReadonlySet<string> = new Set([
  "eth_chainId",
  "eth_getLogs",
  "eth_getTransactionReceipt",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
]);

const MIDDLE: ReadonlySet<string> = new Set(["eth_estimateGas", "eth_gasPrice", "eth_maxPriorityFeePerGas"]);

/** A state is the same at every node once its block is named by number or hash; pending ones are each node's own. */
export function agreementOn({ method, params }: RpcCall): Agreement {
  if (SAME.has(method)) return "same";
  if (MIDDLE.has(method)) return "middle";
  const at = BLOCK_AT[method];
  if (at === undefined) return "any";
  const block: unknown = Array.isArray(params) ? params[at] : undefined;
  return (typeof block === "string" && block.startsWith("0x")) || typeof block === "object" ? "same" : "any";
}

/** The moving head that a question about state names: its answer is the same only at one agreed height. */
export function headAskedOf({ method, params }: RpcCall): string | undefined {
  const at = BLOCK_AT[method];
  const block: unknown = at !== undefined && Array.isArray(params) ? (params[at] ?? "latest") : undefined;
  return HEADS.has(block) ? (block as string) : undefined;
}

/** The same question about one block. */
export function pinned({ method, params }: RpcCall, block: string): RpcCall {
  const at = BLOCK_AT[method] as number;
  const given = params as readonly unknown[];
  return { method, params: [...given.slice(0, at), block, ...given.slice(at + 1)] };
}

/** Is this the question for a moving head itself? */
export const isHeadTag = (block: unknown): block is string => HEADS.has(block);
