import { createPublicClient, custom } from "viem";
import type { PublicClient } from "viem";

import { Endpoint } from "./Endpoint.ts";
import type { EndpointHealth, RpcCall } from "./Endpoint.ts";
import { Endpoints } from "./Endpoints.ts";

/** News of heads: only that there may be one. What it is, is read by quorum. */
export interface HeadNews {
  /** Calls `listener` when some node tells of a new head; gives the way to stop. */
  onHead(listener: () => void): () => void;
  /** Do as many nodes tell as must agree? Otherwise one has to ask. */
  tells(): boolean;
}

/** A chain over one or several RPC endpoints. */
export interface ChainClient {
  readonly client: PublicClient;
  readonly endpoints: () => readonly EndpointHealth[];
  readonly heads: HeadNews;
  /** Ends WebSockets. */
  readonly close: () => void;
}

/** One or two endpoints: each is believed. From three on, a majority. */
export const defaultQuorum = (endpoints: number): number =>
  endpoints < 3 ? 1 : Math.floor(endpoints / 2) + 1;

/**
 * Opens a client that reads by quorum (`Endpoints`). `cacheTime` 0, because viem otherwise repeats a block number for 4 s.
 * @throws CharterError `config/invalid` for a quorum that the endpoints cannot give.
 */
export function openChain(rpcUrls: readonly string[], quorum = defaultQuorum(rpcUrls.length)): ChainClient {
  const listeners = new Set<() => void>();
  const onHead = (): void => listeners.forEach((listener) => listener());
  const all = rpcUrls.map((url, index) => new Endpoint({ url, index, onHead }));
  const endpoints = new Endpoints({ endpoints: all, quorum });
  const transport = custom(
    { request: (call: RpcCall) => endpoints.request(call) },
    { retryCount: 1, retryDelay: 100 },
  );
  const client: PublicClient = createPublicClient({ transport, cacheTime: 0 });
  return {
    client,
    endpoints: () => endpoints.health(),
    heads: {
      onHead: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      tells: () => all.filter(({ tellsHeads }) => tellsHeads).length >= quorum,
    },
    close: () => all.forEach((endpoint) => endpoint.close()),
  };
}

/** The client alone. */
export const createChainClient = (rpcUrls: readonly string[], quorum?: number): PublicClient =>
  openChain(rpcUrls, quorum).client;
