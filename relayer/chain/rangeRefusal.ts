/**
 * What nodes and providers say when a question for logs spans too much. Their codes differ (-32005, -32602, -32000, HTTP
 * 413), so their own texts decide:
 * - geth, Infura: "query returned more than 10000 results"; geth: "exceed maximum block range: 5000"
 * - Reth: "query exceeds max block range 100000", "query exceeds max results 20000, retry with the range 1-9"
 * - Nethermind: "Too many logs requested. Max logs per response is 20000."
 * - Besu: "Requested range exceeds maximum RPC range limit"
 * - Erigon: "query timeout exceeded", "block range greater than 10000 max"
 * - providers: "Log response size exceeded", "eth_getLogs is limited to a 10,000 range", "block range is too wide",
 *   "ranges over 10000 blocks are not supported", "Block range limit exceeded", "response is too big"
 * - viem, of an answer that it does not read to its end: "HTTP response body exceeded the size limit."
 * - RpcSocket, of the same: "The WebSocket's response is too large"
 */
const TEXTS: readonly RegExp[] = [
  /returned more than [\d,]+ (results|logs)/i,
  /exceeds?( the)? (max|limit)/i,
  /(block )?range.{0,30}(too (wide|large|big)|limit|exceed|greater than|not supported)/i,
  /ranges over [\d,]+/i,
  /limited to (a )?[\d,]+k? (block )?range/i,
  /too many (logs|results|blocks)/i,
  /response (size|is too|too|body exceeded)/i,
  /query timeout/i,
];
const TOO_LARGE = 413;

/** Did a node refuse a question for logs because its answer would be too large? */
export function isRangeRefusal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { message, details, status } = at as { message: string; details?: unknown; status?: unknown };
    const text = `${typeof details === "string" ? details : ""}\n${message}`;
    if (status === TOO_LARGE || TEXTS.some((pattern) => pattern.test(text))) return true;
  }
  return false;
}
