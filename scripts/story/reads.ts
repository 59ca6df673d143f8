import { Contract, JsonRpcProvider } from "ethers";

import { appAbi } from "../../protocol/abi/app.ts";
import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import type { App, AttestationLedger, NodeRegistry } from "../../types/typechain/index.ts";
import type { Devnet } from "../devnet/devnet.ts";

/** Contract reads by ethers and GraphQL reads by fetch: two independent ways to see the same thing. */
export interface Reads {
  readonly app: (address: string) => App;
  readonly ledger: AttestationLedger;
  readonly nodes: NodeRegistry;
  readonly time: () => Promise<number>;
  readonly graphql: <T>(query: string) => Promise<T>;
  readonly close: () => void;
}

export function readsOf(devnet: Devnet): Reads {
  const provider = new JsonRpcProvider(devnet.rpcUrl, devnet.deployment.chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
  });
  const at = <T>(address: string, abi: unknown): T =>
    new Contract(address, abi as ConstructorParameters<typeof Contract>[1], provider) as unknown as T;
  return {
    app: (address) => at<App>(address, appAbi),
    ledger: at<AttestationLedger>(devnet.deployment.attestationLedger, attestationLedgerAbi),
    nodes: at<NodeRegistry>(devnet.deployment.nodeRegistry, nodeRegistryAbi),
    time: async () => (await provider.getBlock("latest"))?.timestamp ?? 0,
    graphql: (query) => graphql(`${devnet.relayerUrl}/graphql`, query),
    close: () => provider.destroy(),
  };
}

async function graphql<T>(url: string, query: string): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as { data?: T; errors?: { message: string }[] };
  if (body.errors?.length || !body.data) throw new Error(body.errors?.[0]?.message ?? "no data");
  return body.data;
}
