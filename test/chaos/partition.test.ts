import { expect } from "chai";
import { concatHex } from "viem";
import type { PublicClient } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { createChainClient } from "../../relayer/chain/client.ts";
import { Outbox } from "../../relayer/outbox/outbox.ts";
import type { TransactionSigner } from "../../relayer/outbox/seams.ts";
import { localSigner } from "../../relayer/outbox/signers/localSigner.ts";
import { viemOutboxChain } from "../../relayer/outbox/viemChain.ts";
import { ReplicaWork } from "../../relayer/replicas/ReplicaWork.ts";
import { ALL_WORK } from "../../relayer/replicas/shards.ts";
import { openStore } from "../../relayer/store/store.ts";
import type { Store } from "../../relayer/store/store.ts";
import { until } from "../relayer/support/until.ts";
import { startAnvil } from "../support/anvil.ts";
import type { Anvil } from "../support/anvil.ts";
import { placeEmitter } from "../support/emitter.ts";
import { freshDatabase } from "../support/postgres.ts";
import { wireTo } from "../support/wire.ts";
import type { Wire } from "../support/wire.ts";

const TARGET = `0x${"7a".repeat(20)}` as Address;
const TOPIC: Hex = `0x${"5e".repeat(32)}`;
const LEASE_MS = 1_000;

/** One replica: its own way to the database, a name, and every signature that it made. */
interface Side {
  readonly store: Store;
  readonly box: Outbox;
  readonly work: ReplicaWork;
  readonly signed: { readonly nonce: number; readonly fence: string }[];
}

describe("two replicas, one of them cut off from Postgres", function () {
  this.timeout(120_000);
  let anvil: Anvil;
  let client: PublicClient;
  let wire: Wire;
  let near: Side;
  let far: Side;
  let signer: TransactionSigner;
  let running: Promise<unknown>[];
  const stopping = new AbortController();

  before(async () => {
    anvil = await startAnvil(["--no-mining"]);
    client = createChainClient([anvil.url]);
    await placeEmitter(anvil, TARGET);
    signer = localSigner(privateKeyToAccount(generatePrivateKey()));
    await anvil.rpc("anvil_setBalance", signer.address, "0x8ac7230489e80000");
    const url = new URL(await freshDatabase());
    wire = await wireTo(Number(url.port));
    near = await side("near", url.href);
    url.port = String(wire.port);
    far = await side("far", url.href);
    running = [near, far].flatMap(({ box, work }) => [box.run(stopping.signal), work.run(stopping.signal)]);
  });
  after(async () => {
    stopping.abort();
    wire.isSilent = false;
    wire.cut();
    await Promise.all(running);
    for (const { store } of [near, far]) await store.close();
    await wire.stop();
    await anvil.stop();
  });

  async function side(name: string, databaseUrl: string): Promise<Side> {
    const store = await openStore(databaseUrl);
    const signed: Side["signed"] = [];
    const box = new Outbox({
      chainId: 31_337,
      chain: viemOutboxChain(client, 2),
      store: store.intents,
      holder: name,
      leaseMs: LEASE_MS,
      pollMs: 50,
      signer: {
        address: signer.address,
        // The fence that stands in the database while this replica signs, as the other side sees it.
        signTransaction: async (transaction) => {
          const raw = await signer.signTransaction(transaction);
          const { rows } = await near.store.pool.query<{ holder: string; fence: string }>(
            "SELECT holder, fence FROM signer_lease WHERE signer = $1",
            [signer.address],
          );
          signed.push({ nonce: transaction.nonce, fence: `${rows[0]?.holder} ${rows[0]?.fence}` });
          return raw;
        },
      },
    });
    return {
      store,
      box,
      signed,
      work: new ReplicaWork({ store: store.work, replica: name, leaseMs: LEASE_MS }),
    };
  }

  const leader = (): string[] =>
    [near, far].flatMap(({ box }, index) => (box.status().leading ? [["near", "far"][index] as string] : []));
  let planned = 0;
  const ids: Bytes32[] = [];
  /** Plans at the side that can reach the database. */
  async function plan(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const id = `0x${(0xfeed00 + ++planned).toString(16).padStart(64, "0")}` as Bytes32;
      ids.push(id);
      await near.box.plan({ id, to: TARGET, data: concatHex(["0x02", TOPIC, id]), label: "test" });
    }
  }
  const mine = () => anvil.rpc("anvil_mine", "0x1");
  const settled = () =>
    until("every intent is final", async () => {
      await mine();
      const states = await Promise.all(ids.map((id) => near.store.intents.byId(id)));
      return states.every((intent) => intent?.state === "final");
    });

  it("has one writer per signer at any time, and every effect once, through partitions of either kind", async () => {
    await until("somebody leads", async () => leader().length > 0);
    for (const kind of ["silent", "cut", "silent", "cut"] as const) {
      await plan(3);
      await mine();
      if (kind === "silent") wire.isSilent = true;
      wire.cut();
      if (kind === "cut") wire.isSilent = true; // New connections hang too.
      await until("the near side writes", async () => near.box.status().leading);
      await until("the near side does all work", async () => near.work.held().length === ALL_WORK.length);
      expect(far.work.held()).to.deep.equal([]);
      await plan(3);
      await settled();
      wire.isSilent = false;
      wire.cut();
      await until("both share the work again", async () => far.work.held().length > 0);
    }
    await settled();
    const writes = [near, far].flatMap(({ signed }, index) =>
      signed.map((write) => ({ ...write, by: ["near", "far"][index] as string })),
    );
    // Whoever signed held the lease while it did: so no two wrote at a time.
    for (const { by, fence } of writes)
      expect(fence.startsWith(`${by} `), `${by} signed under ${fence}`).to.equal(true);
    const logs = await client.getLogs({ address: TARGET, fromBlock: 0n });
    expect(logs.map(({ topics }) => topics[1]).sort()).to.deep.equal([...ids].sort());
    // No nonce stands for two calls: the chain took exactly one transaction for each intent.
    expect(await client.getTransactionCount({ address: signer.address })).to.equal(ids.length);
    const { rows } = await near.store.pool.query<{ nonce: string; count: string }>(
      "SELECT nonce, count(DISTINCT intent_id) AS count FROM transactions GROUP BY nonce",
    );
    expect(rows.every(({ count }) => count === "1")).to.equal(true);
  });
});
