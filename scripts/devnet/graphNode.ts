import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { freePort } from "./freePort.ts";
import { logTail, startProcess, type ManagedProcess } from "./process.ts";
import { NETWORK } from "./subgraphBuild.ts";

export interface GraphNodeOptions {
  /** A built subgraph (subgraphBuild.ts). */
  readonly subgraphDir: string;
  readonly postgresUrl: string;
  readonly rpcUrl: string;
  /** Answers graph-node's IPFS questions: the relayer. */
  readonly ipfsUrl: string;
  readonly port: number;
  readonly logFile: string;
}

export interface GraphNode extends ManagedProcess {
  /** GraphQL endpoint of the one subgraph. */
  readonly url: string;
}

/** graph-node's binary as npm carries it, or undefined where there is none (it exists for Linux x64). */
export function gndBinary(): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve("@graphprotocol/gnd-linux-x64/bin/gnd"));
  } catch {
    return undefined;
  }
}

/**
 * The real graph-node with our subgraph. Stop it before its Postgres: it stops on SIGINT, and only while that answers.
 * It listens on every interface, its admin port included (SECURITY.md).
 */
export async function startGraphNode(options: GraphNodeOptions): Promise<GraphNode> {
  const binary = gndBinary();
  if (!binary) {
    throw new CharterError(
      "devnet/no-graph-node",
      "expected npm's @graphprotocol/gnd-linux-x64 (Linux x64 only)",
    );
  }
  const [indexPort, adminPort, metricsPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const child = startProcess({
    name: "graph-node",
    command: binary,
    args: [
      ...["dev", "--manifests", "subgraph.yaml:build", "--postgres-url", options.postgresUrl],
      ...["--ethereum-rpc", `${NETWORK}:${options.rpcUrl}`, "--ipfs", options.ipfsUrl],
      ...["--http-port", String(options.port), "--index-node-port", String(indexPort)],
      ...["--admin-port", String(adminPort), "--metrics-port", String(metricsPort)],
    ],
    env: { GRAPH_LOG: "info", ETHEREUM_POLLING_INTERVAL: "500", ETHEREUM_REORG_THRESHOLD: "50" },
    cwd: options.subgraphDir,
    logFile: options.logFile,
    stopSignal: "SIGINT",
    stopSeconds: 10,
  });
  const url = `http://127.0.0.1:${options.port}/subgraphs/name/subgraph-0`;
  for (let i = 0; i < 300 && child.isRunning(); i++) {
    if (await answers(url)) return { ...child, url };
    await delay(200);
  }
  await child.stop();
  throw new CharterError(
    "devnet/not-ready",
    `graph-node did not become ready:\n${logTail(options.logFile)}`,
    { url },
  );
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ _meta { block { number } } }" }),
    });
    const body = (await response.json()) as { data?: { _meta?: unknown } };
    return Boolean(body.data?._meta);
  } catch {
    return false;
  }
}
