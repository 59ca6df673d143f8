import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { parseDeployment, type Deployment } from "../../protocol/deployment/deployment.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../../relayer/store/embedded.ts";
import { loadOrCreateTestPki } from "../../worker/tee/simulator/pki.ts";
import { buildWeb, WEB_DIST } from "../../web/build.ts";
import { devnetAccounts } from "./accounts.ts";
import { startAnvil } from "./anvil.ts";
import { postgresDir, takeDataDir } from "./dataDir.ts";
import { deployDevnet } from "./deployment.ts";
import { freePort } from "./freePort.ts";
import { startGraphNode } from "./graphNode.ts";
import { startProgram, type Program } from "./program.ts";
import { engineSocket, helloEngine, type HelloEngine } from "./helloImage.ts";
import type { Steps } from "./steps.ts";
import { buildSubgraphFor } from "./subgraphBuild.ts";

/** Where the parts of a running devnet answer. */
export interface Devnet {
  readonly dir: string;
  readonly deployment: Deployment;
  readonly deploymentFile: string;
  readonly rpcUrl: string;
  readonly relayerUrl: string;
  readonly bootAuthUrl: string;
  readonly subgraphUrl: string;
  /** Stands for Intel's, AMD's and NVIDIA's services: what evidence is judged by. */
  readonly vendorUrl: string;
  readonly nodes: readonly Program[];
  /** What runs containers on this machine. */
  readonly engine: HelloEngine;
}

/** Ports that are taken when they are free, so that URLs stay the same from start to start. */
const PORTS = { anvil: 8545, relayer: 8787, bootAuth: 8788, vendor: 8789, graphNode: 8000 } as const;
const NODE_COUNT = 3;
/** A lease on the devnet is short, so that a revoke is seen within seconds. */
export const DEVNET_LEASE_SECONDS = 6;
/** A new LUKS2 volume is written whole: nobody who tries an example waits for gigabytes. */
const VOLUME_MB = 256;

/**
 * Starts every part, the ones that others need first. What is stored in `dir` is taken up again: chain state, databases,
 * the simulated vendor's PKI, node keys.
 */
export async function startDevnet(dir: string, steps: Steps): Promise<Devnet> {
  await steps.run(
    "data folder",
    async () => takeDataDir(dir),
    (taken) => async () => taken.release(),
  );
  const log = (name: string): string => join(dir, "logs", `${name}.log`);
  mkdirSync(join(dir, "logs"), { recursive: true });

  const anvil = await steps.run(
    "chain (anvil, Osaka)",
    async () =>
      startAnvil({
        port: await freePort(PORTS.anvil),
        stateFile: join(dir, "chain.json"),
        logFile: log("anvil"),
      }),
    (started) => started.stop,
  );
  const deploymentFile = join(dir, "deployment.json");
  const simulatorDir = join(dir, "simulator");
  // Before the contracts, which trust its root.
  const testRootPem = loadOrCreateTestPki(simulatorDir).file.root;
  const deployment = await steps.run("contracts (Ignition)", () =>
    contracts(anvil.url, deploymentFile, testRootPem),
  );
  const postgres = await steps.run(
    "Postgres",
    () => startEmbeddedPostgres({ dir: postgresDir(dir) }),
    (started) => () => started.stop(),
  );
  const pcs = await steps.run(
    "simulated vendor (collateral)",
    async () =>
      startProgram({
        name: "simulated vendor",
        file: "worker/tee/simulator/main.ts",
        env: { CHARTER_SIM_DIR: simulatorDir, PORT: String(await freePort(PORTS.vendor)) },
        logFile: log("simulated-vendor"),
      }),
    (started) => started.stop,
  );
  const vendor = String(pcs.ready.url);
  const roots = pcs.ready.roots as Readonly<Record<"nitro" | "gpu" | "rim", string>>;
  const common = {
    CHARTER_RPC_URLS: anvil.url,
    CHARTER_DEPLOYMENT: deploymentFile,
    CHARTER_PCS_URL: vendor,
    CHARTER_KDS_URL: vendor,
    CHARTER_RIM_URL: vendor,
    CHARTER_OCSP_URL: String(pcs.ready.ocspUrl),
    CHARTER_TEST_ROOT: String(pcs.ready.root),
    CHARTER_NITRO_TEST_ROOT: roots.nitro,
    CHARTER_GPU_TEST_ROOT: roots.gpu,
    CHARTER_RIM_TEST_ROOT: roots.rim,
    CHARTER_FINALITY: "finalized",
    LOG_LEVEL: process.env.LOG_LEVEL ?? "info",
  };
  const names = databaseNames(deployment);
  const signers = await Promise.all(
    devnetAccounts.committee.map((account, i) =>
      steps.run(
        `committee signer ${i + 1}`,
        async () =>
          startProgram({
            name: `signer ${i + 1}`,
            file: "relayer/signer.ts",
            env: {
              ...common,
              CHARTER_SIGNER_KEY: account.key,
              DATABASE_URL: await postgres.createDatabase(`${names}_signer_${i + 1}`),
              PORT: "0",
            },
            logFile: log(`signer-${i + 1}`),
          }),
        (started) => started.stop,
      ),
    ),
  );

  await steps.run("explorer page", buildWeb);
  const graphPort = await freePort(PORTS.graphNode);
  const subgraphUrl = `http://127.0.0.1:${graphPort}/subgraphs/name/subgraph-0`;
  const relayer = await steps.run(
    "relayer",
    async () =>
      startProgram({
        name: "relayer",
        file: "relayer/main.ts",
        env: {
          ...common,
          DATABASE_URL: await postgres.createDatabase(`${names}_relayer`),
          CHARTER_OUTBOX_KEY: devnetAccounts.outbox.key,
          CHARTER_LEASE_KEY: devnetAccounts.lease.key,
          CHARTER_COMMITTEE_URLS: signers.map(({ ready }) => String(ready.url)).join(","),
          CHARTER_SUBGRAPH_URL: subgraphUrl,
          CHARTER_WEB_DIR: WEB_DIST,
          CHARTER_BATCH_MAX_AGE_MS: "200",
          CHARTER_PUBLISHERS: devnetAccounts.owner.address,
          CHARTER_MAX_LEASE_SECONDS: String(DEVNET_LEASE_SECONDS),
          PORT: String(await freePort(PORTS.relayer)),
          BOOTAUTH_PORT: String(await freePort(PORTS.bootAuth)),
        },
        logFile: log("relayer"),
      }),
    (started) => started.stop,
  );
  const relayerUrl = String(relayer.ready.url);
  await steps.run(
    "graph-node with our subgraph",
    async () =>
      graphNode({ dir, deployment, postgres, rpcUrl: anvil.url, relayerUrl, port: graphPort, names }),
    (started) => started.stop,
  );
  const engine = await steps.run("container engine", () => helloEngine(engineSocket()));
  const nodes = await Promise.all(
    Array.from({ length: NODE_COUNT }, (_, i) =>
      steps.run(
        `node ${i + 1} (simulated TDX)`,
        () => startNode(i + 1, { dir, relayerUrl, simulatorDir, logFile: log(`node-${i + 1}`) }),
        (started) => started.stop,
      ),
    ),
  );
  return {
    dir,
    deployment,
    deploymentFile,
    rpcUrl: anvil.url,
    relayerUrl,
    bootAuthUrl: String(relayer.ready.bootAuthUrl),
    subgraphUrl,
    vendorUrl: vendor,
    nodes,
    engine,
  };
}

/** The stored address book when the chain really has those contracts, else a new deployment. */
async function contracts(rpcUrl: string, file: string, testRootPem: string): Promise<Deployment> {
  if (existsSync(file)) {
    const deployment = parseDeployment(readFileSync(file, "utf8"));
    if (await hasCode(rpcUrl, deployment.attestationLedger)) return deployment;
    throw new CharterError("devnet/state-lost", "the stored address book belongs to another chain", {
      expected: `chain state beside ${file}`,
      hint: "remove the devnet's folder to begin anew",
    });
  }
  const deployment = await deployDevnet(rpcUrl, testRootPem);
  writeFileSync(file, `${JSON.stringify(deployment, null, 2)}\n`);
  return deployment;
}

async function hasCode(rpcUrl: string, address: string): Promise<boolean> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getCode", params: [address, "latest"] }),
  });
  const { result } = (await response.json()) as { result?: string };
  return result !== undefined && result !== "0x";
}

/** Databases carry the chain's genesis in their names: another chain never meets old rows. */
const databaseNames = (deployment: Deployment): string => `charter_${deployment.genesisHash.slice(2, 10)}`;

interface GraphNodeParts {
  readonly dir: string;
  readonly deployment: Deployment;
  readonly postgres: EmbeddedPostgres;
  readonly rpcUrl: string;
  readonly relayerUrl: string;
  readonly port: number;
  readonly names: string;
}

async function graphNode(parts: GraphNodeParts): ReturnType<typeof startGraphNode> {
  return startGraphNode({
    subgraphDir: buildSubgraphFor(parts.deployment, join(parts.dir, "subgraph")),
    postgresUrl: await parts.postgres.createDatabase(`${parts.names}_graph_node`),
    rpcUrl: parts.rpcUrl,
    ipfsUrl: parts.relayerUrl,
    port: parts.port,
    logFile: join(parts.dir, "logs", "graph-node.log"),
  });
}

interface NodeParts {
  readonly dir: string;
  readonly relayerUrl: string;
  readonly simulatorDir: string;
  readonly logFile: string;
}

function startNode(number: number, parts: NodeParts): Promise<Program> {
  const workdir = join(parts.dir, `node-${number}`);
  mkdirSync(workdir, { recursive: true });
  const socket = engineSocket();
  return startProgram({
    name: `node ${number}`,
    file: "worker/node/main.ts",
    args: ["run"],
    env: {
      CHARTER_RELAYER_URLS: parts.relayerUrl,
      CHARTER_DEPLOYMENT: join(parts.dir, "deployment.json"),
      CHARTER_SIM_DIR: parts.simulatorDir,
      CHARTER_SIM_PLATFORM: `node-${number}`,
      CHARTER_WORKDIR: workdir,
      CHARTER_OPERATOR_KEY: devnetAccounts.operator.key,
      CHARTER_TLS_HOST: "127.0.0.1",
      CHARTER_VOLUME_MB: process.env.CHARTER_VOLUME_MB ?? String(VOLUME_MB),
      ...(socket === undefined ? {} : { CHARTER_ENGINE_SOCKET: socket }),
    },
    logFile: parts.logFile,
    readySeconds: 90,
  });
}
