import { isNoAnswer } from "./noAnswer.ts";

/** What one endpoint said: an answer, or an error of viem's. */
export type Said = { readonly result: unknown } | { readonly refusal: unknown };

const LOG = ["address", "topics", "data", "blockNumber", "blockHash", "logIndex", "transactionHash"];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Text that is equal exactly for answers that mean the same: a block is its hash, a receipt and a log what they say of
 * the chain, in whatever form and with whatever further fields an implementation prints it. A refusal is its code.
 * Undefined for silence, which says nothing.
 */
export function outcomeKey(method: string, said: { readonly result: unknown }): string;
export function outcomeKey(method: string, said: Said): string | undefined;
export function outcomeKey(method: string, said: Said): string | undefined {
  if ("refusal" in said) return isNoAnswer(said.refusal) ? undefined : `refused ${codeOf(said.refusal)}`;
  return `answered ${JSON.stringify(meaning(method, said.result))?.toLowerCase() ?? "nothing"}`;
}

function meaning(method: string, result: unknown): unknown {
  switch (method) {
    case "eth_getBlockByNumber":
    case "eth_getBlockByHash":
      // The bloom too: a false one would hide a block's logs.
      return pick(result, ["hash", "number", "parentHash", "timestamp", "logsBloom", "baseFeePerGas"]);
    case "eth_getTransactionReceipt":
      return pick(result, ["transactionHash", "blockHash", "blockNumber", "status"]);
    case "eth_getLogs":
      return Array.isArray(result) ? result.map((log) => pick(log, LOG)) : result;
    default:
      return result;
  }
}

function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  return names.map((name) => (value as Fields)[name] ?? null);
}

/**
 * A revert is what the contract said (each implementation has a code of its own for it); anything else is JSON-RPC's
 * code, wherever viem has put it.
 */
function codeOf(error: unknown): string {
  let code: number | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code: own, data } = at as { code?: unknown; data?: unknown };
    if (typeof data === "string" && /^0x([0-9a-f]{2})+$/i.test(data))
      return `by the contract ${data.toLowerCase()}`;
    if (typeof own === "number") code ??= own;
  }
  if (code !== undefined) return String(code);
  return error instanceof Error ? error.name : "unknown";
}
