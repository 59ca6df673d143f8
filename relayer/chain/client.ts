import { createPublicClient, fallback, http } from "viem";
import type { PublicClient } from "viem";

/**
 * A client over one or several endpoints: the first that answers is used. (Quorum reads at one agreed height are a
 * later step.) `cacheTime` 0, because viem otherwise repeats a block number for 4 s.
 */
export function createChainClient(rpcUrls: readonly string[]): PublicClient {
  const transports = rpcUrls.map((url) => http(url, { timeout: 10_000, retryCount: 1, retryDelay: 100 }));
  return createPublicClient({
    transport: fallback(transports, { rank: false, retryCount: 0 }),
    cacheTime: 0,
  });
}
