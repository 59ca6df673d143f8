import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Fastify from "fastify";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { startEmbeddedPostgres } from "../../relayer/store/embedded.ts";
import { startAnvil } from "./anvil.ts";
import type { DeployParameters } from "../deploy.ts";
import { deployDevnet } from "./deployment.ts";
import { freePort } from "./freePort.ts";
import { startGraphNode } from "./graphNode.ts";
import { Steps } from "./steps.ts";
import { buildSubgraphFor } from "./subgraphBuild.ts";

/** Chain, contracts and graph-node alone: what the index is tested on. */
export interface IndexStack {
  readonly deployment: Deployment;
  readonly rpcUrl: string;
  readonly graphqlUrl: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts it in a temporary folder, which `stop` removes.
 * @param testRootPem of the simulated vendor, where direct proofs and collateral are to be indexed.
 * @param prepare puts onto the chain what a deployment is to stand on, and names it.
 */
export async function startIndexStack(
  testRootPem?: string,
  prepare?: (rpcUrl: string) => Promise<Partial<DeployParameters>>,
): Promise<IndexStack> {
  const dir = mkdtempSync(join(tmpdir(), "charter-index-"));
  chmodSync(dir, 0o755); // Postgres runs under another account where this one is root.
  const steps = new Steps(() => undefined, new AbortController().signal);
  const stop = async (): Promise<void> => {
    await steps.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const anvil = await steps.run(
      "anvil",
      async () =>
        startAnvil({
          port: await freePort(),
          stateFile: join(dir, "chain.json"),
          logFile: join(dir, "anvil.log"),
        }),
      (started) => started.stop,
    );
    const deployment = await deployDevnet(anvil.url, testRootPem, await prepare?.(anvil.url));
    const postgres = await steps.run(
      "postgres",
      () => startEmbeddedPostgres({ dir: join(dir, "postgres") }),
      (started) => () => started.stop(),
    );
    const ipfsUrl = await steps
      .run("ipfs", startIpfsVersion, (started) => started.stop)
      .then(({ url }) => url);
    const graphNode = await steps.run(
      "graph-node",
      async () =>
        startGraphNode({
          subgraphDir: buildSubgraphFor(deployment, join(dir, "subgraph")),
          postgresUrl: await postgres.createDatabase("graph_node"),
          rpcUrl: anvil.url,
          ipfsUrl,
          port: await freePort(),
          logFile: join(dir, "graph-node.log"),
        }),
      (started) => started.stop,
    );
    return { deployment, rpcUrl: anvil.url, graphqlUrl: graphNode.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The two questions that graph-node asks an IPFS node before it starts; in the devnet the relayer answers them. */
async function startIpfsVersion(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = Fastify();
  server.post("/api/v0/version", async () => ({ Version: "0.0.0", Commit: "" }));
  server.head("/ipfs/*", async (_request, reply) => reply.code(404).send());
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, stop: () => server.close() };
}
