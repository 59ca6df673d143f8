import { createPublicClient, custom } from "viem";
import type { PublicClient } from "viem";

import { Endpoint } from "./Endpoint.ts";
import type { EndpointHealth, RpcCall } from "./Endpoint.ts";
import { Endpoints } from "./Endpoints.ts";

/** A chain over one or several RPC endpoints. */
export interface ChainClient {
  readonly client: PublicClient;
  readonly endpoints: () => readonly EndpointHealth[];
}

/** One or two endpoints: each is believed. From three on, a majority. */
export const defaultQuorum = (endpoints: number): number =>
  endpoints < 3 ? 1 : Math.floor(endpoints / 2) + 1;

/**
 * Opens a client that reads by quorum (`Endpoints`). `cacheTime` 0, because viem otherwise repeats a block number for 4 s.
 * @throws CharterError `config/invalid` for a quorum that the endpoints cannot give.
 */
export function openChain(rpcUrls: readonly string[], quorum = defaultQuorum(rpcUrls.length)): ChainClient {
  const endpoints = new Endpoints({
    endpoints: rpcUrls.map((url, index) => new Endpoint({ url, index })),
    quorum,
  });
  const transport = custom(
    { request: (call: RpcCall) => endpoints.request(call) },
    { retryCount: 1, retryDelay: 100 },
  );
  const client: PublicClient = createPublicClient({ transport, cacheTime: 0 });
  return { client, endpoints: () => endpoints.health() };
}

/** The client alone. */
export const createChainClient = (rpcUrls: readonly string[], quorum?: number): PublicClient =>
  openChain(rpcUrls, quorum).client;
