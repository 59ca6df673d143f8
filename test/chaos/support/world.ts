import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { privateKeyToAccount } from "viem/accounts";

import { nodeInfoSchema } from "../../../protocol/session/messages.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import { startEmbeddedPostgres } from "../../../relayer/store/embedded.ts";
import type { EmbeddedPostgres } from "../../../relayer/store/embedded.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { createApp } from "../../relayer/support/app.ts";
import { newKey, send, Worker } from "../../relayer/support/guest.ts";
import { addressOf, keyOf, startStack } from "../../relayer/support/stack.ts";
import type { Stack } from "../../relayer/support/stack.ts";
import { until } from "../../relayer/support/until.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { random } from "../../support/random.ts";
import { Miner, openWork } from "./advance.ts";
import { FaultyRpc } from "./FaultyRpc.ts";
import { Replicas } from "./Replicas.ts";

/** Blocks on top of a final one: more than any reorg of a run takes back. */
export const CONFIRMATIONS = 40;
/**
 * More blocks than a run makes: evidence that grows too old before it is posted is refused for good, however right the
 * relayers do.
 */
const MAX_EVIDENCE_AGE_BLOCKS = 4_000n;
/**
 * States of blocks that the chain keeps, in memory alone. Left to itself it writes those beyond the last 500 to disk, and a
 * reorg to one of them may begin on an empty state: without contracts every call succeeds, and does nothing.
 */
const STATES_KEPT = 256;
/** Name of the simulated machine. */
const PLATFORM = "chaos";

const digest = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const COMPOSE_HASH = parseComposeHash(digest("chaos"));

/** What all runs share: a chain whose blocks the test mines, contracts, signers, a node, an app, and relayers. */
export interface World {
  readonly stack: Stack;
  readonly endpoints: readonly FaultyRpc[];
  readonly replicas: Replicas;
  readonly app: Address;
  readonly composeHash: ComposeHash;
  readonly node: number;
  /** The relayers' database, seen beside them. */
  readonly store: () => Store;
  /** Another one, for reading the chain anew. */
  readonly rebuilt: Store;
  worker(url: string): Worker;
  /** Blocks, each with a transaction: so that no two that were mined at one height are the same block. */
  mine(blocks: number): Promise<void>;
  /** Sends the creation of an app, to be mined with the next block; its address. */
  createGhost(salt: number): Promise<Address>;
  /** Takes back the last blocks, and makes as many others. */
  reorg(depth: number): Promise<void>;
  restartPostgres(): Promise<void>;
  stop(): Promise<void>;
}

/** Two worlds that start at once on a loaded machine take their time. */
const patiently = <T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> =>
  until(what, ask, 3_000);

async function postgres(): Promise<{ server: EmbeddedPostgres; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), "charter-chaos-"));
  await chmod(dir, 0o755);
  return { server: await startEmbeddedPostgres({ dir }), dir };
}

/** Starts everything, without a fault until a run begins. */
export async function startWorld(relayers: number): Promise<World> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const stack = await startStack({
      anvilFlags: ["--prune-history", String(STATES_KEPT)],
      environment: { CHARTER_FINALITY: String(CONFIRMATIONS) },
    });
    closers.push(() => stack.stop());
    const { anvil } = stack;
    const mine = async (blocks: number): Promise<void> => {
      const [from, to] = [addressOf(8), addressOf(9)];
      for (let i = 0; i < blocks; i++) {
        await anvil.rpc("eth_sendTransaction", { from, to, value: "0x1", gas: "0x5208" });
        await anvil.rpc("evm_mine");
      }
    };
    const ofPostgres = await postgres();
    const { dir } = ofPostgres;
    let { server } = ofPostgres;
    closers.push(async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const databaseUrl = await server.createDatabase("relayers");
    const endpoints = await Promise.all(
      [1, 2, 3].map((seed) => new FaultyRpc(anvil.url, random(seed)).start()),
    );
    for (const endpoint of endpoints) closers.push(() => endpoint.stop());
    const replicas = new Replicas(
      {
        ...(await stack.relayerEnvironment()),
        DATABASE_URL: databaseUrl,
        CHARTER_RPC_URLS: endpoints.map(({ url }) => url).join(","),
        CHARTER_MAX_HEAD_AGE_SECONDS: "900000",
        LOG_LEVEL: "warn",
      },
      relayers,
      random(0),
    );
    await mine(CONFIRMATIONS + 1);
    replicas.start();
    closers.push(() => replicas.stop());
    const url = await patiently("a relayer is ready", async () => replicas.urls()[0]);
    await anvil.rpc("evm_setAutomine", false);

    const worker = (at: string): Worker => new Worker(at, stack.pki, PLATFORM);
    const key = newKey();
    const operator = privateKeyToAccount(keyOf(0));
    await patiently("the node is accepted", async () => {
      const answer = await worker(url).registerNode(operator, key);
      return answer.status < 300;
    });
    let store = await openStore(databaseUrl);
    closers.push(() => store.close());
    const miner = new Miner({ rpc: anvil.rpc, mine }, CONFIRMATIONS);
    const node = await patiently("the node is registered", async () => {
      await miner.advance(await openWork(store));
      const answer = await send(url, "GET", `/nodes/${key.address.toLowerCase()}`);
      return answer.status === 200 && nodeInfoSchema.parse(answer.body);
    });
    await anvil.rpc("evm_setAutomine", true);
    const { app } = await createApp(stack, {
      composeHash: COMPOSE_HASH,
      noteDigest: digest("note"),
      platformId: node.platformId,
      proofSystems: [ProofSystem.Committee],
      maxEvidenceAgeBlocks: MAX_EVIDENCE_AGE_BLOCKS,
    });
    await anvil.rpc("evm_setAutomine", false);
    await mine(CONFIRMATIONS + 1);

    const rebuilt = await openStore(await freshDatabase());
    closers.push(() => rebuilt.close());
    return {
      stack,
      endpoints,
      replicas,
      app,
      composeHash: COMPOSE_HASH,
      node: node.number,
      store: () => store,
      rebuilt,
      worker,
      mine,
      createGhost: async (salt) => {
        const made = createApp(stack, {
          composeHash: COMPOSE_HASH,
          noteDigest: digest("note"),
          platformId: node.platformId,
          proofSystems: [ProofSystem.Committee],
          salt,
        });
        await until("the app's creation is sent", async () => {
          const { pending } = await anvil.rpc<{ pending: object }>("txpool_content");
          return Object.keys(pending).some((from) => from.toLowerCase() === addressOf(0));
        });
        await mine(1);
        return (await made).app;
      },
      reorg: async (depth) => {
        await anvil.rpc("anvil_reorg", depth, []);
        // What follows would say nothing of relayers on a chain that has lost its contracts.
        const code = await anvil.rpc<string>("eth_getCode", stack.deployment.attestationLedger, "latest");
        if (code === "0x") throw new Error(`the chain lost its state in a reorg of ${depth} blocks`);
      },
      restartPostgres: async () => {
        await store.close();
        await server.stop();
        server = await startEmbeddedPostgres({ dir, port: server.port });
        store = await openStore(databaseUrl);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
