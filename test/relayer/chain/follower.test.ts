import { expect } from "chai";
import type { PublicClient } from "viem";

import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { createChainClient } from "../../../relayer/chain/client.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import type { FollowerOptions } from "../../../relayer/chain/follower.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { plain } from "../../support/plain.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { APP, account, emitApp, emitProposal, placeDeployment, word } from "./scene.ts";

interface LogFilter {
  readonly blockHash?: string;
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly address?: unknown;
}

describe("follower", function () {
  this.timeout(60_000);
  let anvil: Anvil;
  let client: PublicClient;
  let deployment: Deployment;
  let store: Store;

  beforeEach(async () => {
    // Its own instant mining answers before the block is there.
    anvil = await startAnvil(["--no-mining"]);
    client = createChainClient([anvil.url]);
    deployment = await placeDeployment(anvil);
    store = await openStore(await freshDatabase());
  });
  afterEach(async () => {
    await store.close();
    await anvil.stop();
  });

  const follower = (options: Partial<FollowerOptions> = {}) =>
    new Follower({ client, store, deployment, finality: 3, ...options });
  const mine = (blocks: number) => anvil.rpc("anvil_mine", `0x${blocks.toString(16)}`);

  it("finds an app and its first events, and tells what is final from what is newest", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    await mine(3);
    await emitProposal(anvil, APP, 2, 5_000_000_000);
    const following = follower();
    await following.start();
    const { final, newest } = following.projection();
    expect([final.block.number, newest.block.number]).to.deep.equal([2n, 5n]);
    expect(final.state.apps.get(APP)?.releases.map((release) => release.number)).to.deep.equal([1]);
    expect(newest.state.apps.get(APP)?.releases.map((release) => release.endsAt)).to.deep.equal([
      5_000_000_010,
      2 ** 40 - 1,
    ]);
    await mine(3);
    await following.tick();
    expect(plain(following.projection().final.state)).to.deep.equal(plain(newest.state));
  });

  it("ignores events of contracts that are not ours, also under an app's name", async () => {
    const stranger = account(0xdead);
    await anvil.rpc("anvil_setCode", stranger, await anvil.rpc("eth_getCode", APP, "latest"));
    await emitApp(anvil, { ...deployment, appRegistry: stranger }, APP, word(7));
    const following = follower({ finality: 0 });
    await following.start();
    expect(following.projection().newest.state.apps.size).to.equal(0);
  });

  it("reads a long history in ranges, smaller while the node refuses them", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    await mine(300);
    await emitProposal(anvil, APP, 2, 5_000_000_000);
    await mine(100);
    let refused = 0;
    const request: typeof client.request = (async (call: {
      method: string;
      params: [{ fromBlock?: string; toBlock?: string }];
    }) => {
      const [filter] = call.params ?? [{}];
      if (call.method === "eth_getLogs" && filter.fromBlock !== undefined) {
        if (Number(filter.toBlock) - Number(filter.fromBlock) > 50) {
          refused += 1;
          throw new Error("query exceeds the limit");
        }
      }
      return client.request(call as never);
    }) as never;
    const following = follower({ client: { ...client, request }, finality: 0 });
    await following.start();
    expect(refused).to.be.greaterThan(0);
    expect(following.projection().newest.state.apps.get(APP)?.releases).to.have.length(2);
    expect(following.projection().newest.block.number).to.equal(402n);
  });

  for (const [where, after] of [
    ["near the head", 0],
    ["far from it", 100],
  ] as const) {
    it(`reads a block ${where} that others filled with events like ours`, async () => {
      await emitApp(anvil, deployment, APP, word(7)); // Whatever else stands in this block.
      const filled = Number(await client.getBlockNumber());
      await mine(after);
      await emitProposal(anvil, APP, 2, 5_000_000_000);
      const { hash } = await client.getBlock({ blockNumber: BigInt(filled) });
      let refused = 0;
      const request: typeof client.request = (async (call: { method: string; params: [LogFilter] }) => {
        const [filter] = call.params ?? [{}];
        const holds =
          filter.blockHash === hash ||
          (Number(filter.fromBlock) <= filled && filled <= Number(filter.toBlock));
        if (call.method === "eth_getLogs" && holds && filter.address === undefined) {
          refused += 1;
          throw new Error("query returned more than 10000 results");
        }
        return client.request(call as never);
      }) as never;
      const following = follower({ client: { ...client, request }, finality: 0 });
      await following.start();
      expect(refused).to.be.greaterThan(0);
      const { releases } = following.projection().newest.state.apps.get(APP) ?? { releases: [] };
      expect(releases.map(({ number }) => number)).to.deep.equal([1, 2]);
    });
  }

  it("asks nothing further for events of others that look like ours", async () => {
    const stranger = account(0xdead);
    await anvil.rpc("anvil_setCode", stranger, await anvil.rpc("eth_getCode", APP, "latest"));
    for (let i = 0; i < 5; i++) await emitProposal(anvil, stranger, 2, 5_000_000_000);
    await emitApp(anvil, deployment, APP, word(7));
    await mine(100);
    const headers = new Set<bigint>();
    const getBlock = ((of: { blockNumber?: bigint }) => {
      if (of.blockNumber !== undefined) headers.add(of.blockNumber);
      return client.getBlock(of);
    }) as never;
    const following = follower({ client: { ...client, getBlock } as PublicClient, finality: 0 });
    await following.start();
    expect(following.projection().newest.state.apps.size).to.equal(1);
    expect([2n, 3n, 4n].filter((number) => headers.has(number))).to.deep.equal([]);
  });

  it("undoes what a reorg took away, and replays what stayed", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    await mine(2);
    const following = follower({ finality: 40 });
    await following.start();
    await emitProposal(anvil, APP, 2, 5_000_000_000);
    await following.tick();
    expect(following.projection().newest.state.apps.get(APP)?.releases).to.have.length(2);
    const before = following.projection().newest.block;
    await anvil.rpc("anvil_reorg", 2, []);
    await following.tick();
    const { newest } = following.projection();
    expect(newest.block.number).to.equal(before.number);
    expect(newest.block.hash).not.to.equal(before.hash);
    expect(newest.state.apps.get(APP)?.releases.map((release) => release.endsAt)).to.deep.equal([
      2 ** 40 - 1,
    ]);
    expect(following.status()).to.include({ ready: true, reorgs: 1, deepReorgs: 0 });

    const restarted = follower({ finality: 40 });
    await restarted.start();
    expect(plain(restarted.projection())).to.deep.equal(plain(following.projection()));
  });

  describe("when a reorg takes back what was final", () => {
    let taken: string[];
    const halted = (following: Follower): unknown[] => {
      const { ready, lastError, deepReorgs } = following.status();
      return [ready, lastError?.code, deepReorgs];
    };
    const codeOfProjection = (following: Follower): Promise<string> =>
      refusal(Promise.resolve().then(() => following.projection()));

    /** A replica that has seen it, and the hash of the block. */
    async function seen(options: Partial<FollowerOptions> = {}) {
      await emitApp(anvil, deployment, APP, word(7));
      await mine(2);
      const following = follower({ finality: 0, onTakenBack: ({ hash }) => taken.push(hash), ...options });
      await following.start();
      await emitProposal(anvil, APP, 2, 5_000_000_000);
      await following.tick();
      const { hash } = following.projection().final.block;
      await anvil.rpc("anvil_reorg", 2, []);
      await following.tick();
      return { following, hash };
    }
    beforeEach(() => (taken = []));

    it("stops every grant, here, in a replica and after a restart, and goes on following", async () => {
      const replica = follower({ finality: 0 });
      await replica.start();
      const { following, hash } = await seen();
      expect(taken).to.deep.equal([hash]);
      expect(halted(following)).to.deep.equal([false, "chain/deep-reorg", 1]);
      expect(await codeOfProjection(following)).to.equal("chain/deep-reorg");
      await replica.tick();
      const restarted = follower({ finality: 0 });
      await restarted.start();
      for (const each of [replica, restarted]) {
        expect(halted(each)).to.deep.equal([false, "chain/deep-reorg", 1]);
        expect(await codeOfProjection(each)).to.equal("chain/deep-reorg");
      }
      await mine(1);
      await following.tick();
      expect(following.status().newest?.number).to.equal(5n);
    });

    it("goes on when an operator has acknowledged that block, and no other", async () => {
      const { following, hash } = await seen();
      const other = follower({ finality: 0, settlement: { how: "acknowledge", hash: word(5) } });
      await other.start();
      expect(halted(other)).to.deep.equal([false, "chain/deep-reorg", 1]);
      const told = follower({ finality: 0, settlement: { how: "acknowledge", hash: hash } });
      await told.start();
      await following.tick();
      for (const each of [told, following]) {
        expect(each.status().ready).to.equal(true);
        expect(each.projection().final.state.apps.get(APP)?.releases).to.have.length(1);
      }
    });

    it("reads everything again when told to rebuild", async () => {
      const { following, hash } = await seen();
      const asked: unknown[] = [];
      const request = ((call: { method: string; params: [Record<string, unknown>] }) => {
        if (call.method === "eth_getLogs") asked.push(call.params[0]);
        return client.request(call as never);
      }) as never;
      const told = follower({
        finality: 0,
        client: { ...client, request } as PublicClient,
        settlement: { how: "rebuild", hash: hash },
      });
      await told.start();
      expect(asked).not.to.have.length(0);
      await following.tick().catch(() => following.tick());
      expect(plain(following.projection())).to.deep.equal(plain(told.projection()));
      expect(following.status().ready).to.equal(true);
    });
  });

  it("calls nothing final that does not lie on the chain that was followed", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    await mine(400);
    let lies = false;
    const other = await client.getBlock({ blockNumber: 3n });
    const getBlock = (async (of: { blockNumber?: bigint; blockTag?: string }) => {
      if (of.blockTag === "finalized") {
        const block = await client.getBlock({ blockNumber: 200n });
        return lies ? { ...block, hash: other.hash } : block;
      }
      return client.getBlock(of as never);
    }) as never;
    lies = true;
    const following = follower({ client: { ...client, getBlock } as PublicClient, finality: "finalized" });
    expect(await refusal(following.start())).to.equal("chain/final-not-followed");
    lies = false;
    await following.tick();
    expect(following.projection().final.block.number).to.equal(200n);
    // It is kept, so a reorg above it is none below it.
    await emitProposal(anvil, APP, 2, 5_000_000_000);
    await following.tick();
    await anvil.rpc("anvil_reorg", 20, []);
    await following.tick();
    expect(following.status()).to.include({ ready: true, reorgs: 1, deepReorgs: 0 });
  });

  it("resumes from the store, and reads only what is new", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    await mine(5);
    const first = follower();
    await first.start();
    await emitProposal(anvil, APP, 2, 5_000_000_000);
    await mine(2);
    const asked: bigint[] = [];
    const getBlock = ((of: { blockNumber?: bigint }) => {
      if (of.blockNumber !== undefined) asked.push(of.blockNumber);
      return client.getBlock(of);
    }) as never;
    const second = follower({ client: { ...client, getBlock } as PublicClient });
    await second.start();
    await first.tick();
    expect(plain(second.projection())).to.deep.equal(plain(first.projection()));
    expect(asked.filter((number) => number !== 0n && number < 4n)).to.deep.equal([]);
  });

  it("lets two replicas share one database", async () => {
    const [one, two] = [follower(), follower()];
    await Promise.all([one.start(), two.start()]);
    await emitApp(anvil, deployment, APP, word(7));
    for (let number = 2; number < 12; number++) {
      await emitProposal(anvil, APP, number, 5_000_000_000 + number);
      await mine(number % 3);
      // One of the two may find that the other was first; it reads the store again at its next look.
      await Promise.allSettled([one.tick(), two.tick()]);
    }
    await anvil.rpc("anvil_reorg", 2, []);
    await Promise.allSettled([one.tick(), two.tick()]);
    await mine(1);
    for (const each of [one, two]) await each.tick().catch(() => each.tick());
    expect(plain(one.projection().newest)).to.deep.equal(plain(two.projection().newest));
    const fresh = follower();
    await fresh.start();
    expect(plain(fresh.projection())).to.deep.equal(plain(one.projection()));
  });

  it("refuses another chain, another database and a finality that the node does not know", async () => {
    const other = { ...deployment, genesisHash: word(1) };
    expect(await refusal(follower({ deployment: other }).start())).to.equal("chain/wrong-chain");
    expect(await refusal(follower({ deployment: { ...deployment, chainId: 1 } }).start())).to.equal(
      "chain/wrong-chain",
    );
    await follower().start();
    const moved = { ...deployment, appRegistry: account(0xc9) };
    expect(await refusal(follower({ deployment: moved }).start())).to.equal("store/other-chain");

    const untagged = ((of: { blockTag?: string }) =>
      of.blockTag === "finalized"
        ? Promise.reject(new Error("unknown block tag"))
        : client.getBlock(of as never)) as never;
    const old = follower({
      client: { ...client, getBlock: untagged } as PublicClient,
      finality: "finalized",
    });
    expect(await refusal(old.start())).to.equal("chain/finality-unavailable");
  });

  it("knows nothing before its first look, and says why after a failed one", async () => {
    const following = follower();
    expect(() => following.projection())
      .to.throw()
      .with.property("code", "chain/not-ready");
    expect(following.headAgeSeconds()).to.equal(Number.POSITIVE_INFINITY);
    await following.start();
    const { newest } = following.projection();
    expect(following.headAgeSeconds(newest.block.timestamp + 7)).to.equal(7);
    const dead = follower({ client: createChainClient(["http://127.0.0.1:1"]) });
    expect(await refusal(dead.start())).to.equal("chain/unreachable");
  });

  it("calls a head old that has been the newest for long, whatever its time and the clock say", async () => {
    let uptime = 1_000;
    const following = follower({ uptime: () => uptime });
    await following.start();
    const { timestamp } = following.projection().newest.block;
    uptime += 300;
    await following.tick(); // The node answers, and always the same.
    expect(following.headAgeSeconds(timestamp - 5_000)).to.equal(300);
    expect(following.headAgeSeconds(timestamp + 301)).to.equal(301);
    await anvil.rpc("anvil_mine", "0x1");
    await following.tick();
    const next = following.projection().newest.block;
    expect(following.headAgeSeconds(next.timestamp)).to.equal(0);
  });

  it("takes endpoints that disagree about finality for no lack of it", async () => {
    const torn = ((of: { blockTag?: string }) =>
      of.blockTag === "finalized"
        ? Promise.reject(new CharterError("chain/endpoints-disagree", "too few endpoints say the same"))
        : client.getBlock(of as never)) as never;
    const following = follower({
      client: { ...client, getBlock: torn } as PublicClient,
      finality: "finalized",
    });
    expect(await refusal(following.start())).to.equal("chain/endpoints-disagree");
  });

  it("stays not ready when our own contract says what cannot follow, and heals when a reorg takes it back", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    const following = follower({ finality: 40 });
    await following.start();
    await emitProposal(anvil, APP, 9, 5_000_000_000);
    expect(await refusal(following.tick())).to.equal("state/out-of-order");
    expect(() => following.projection())
      .to.throw()
      .with.property("code", "chain/not-ready");
    expect(following.status().ready).to.equal(false);
    await anvil.rpc("anvil_reorg", 1, []);
    await following.tick();
    expect(following.projection().newest.state.apps.get(APP)?.releases).to.have.length(1);
  });

  it("tells listeners of each change, and keeps trying while the node is away", async () => {
    const following = follower({ pollMs: 10 });
    await following.start();
    const heights: bigint[] = [];
    const stop = following.onUpdate(({ newest }) => heights.push(newest.block.number));
    const ended = new AbortController();
    const running = following.run(ended.signal);
    await mine(1);
    while (heights.at(-1) !== 1n) await new Promise((done) => setTimeout(done, 5));
    await anvil.stop();
    while (following.status().ready) await new Promise((done) => setTimeout(done, 5));
    expect(following.status().lastError?.code).to.equal("chain/unreachable");
    expect(following.projection().newest.block.number).to.equal(1n);
    stop();
    ended.abort();
    await running;
  });

  it("looks no more often for a node that tells of heads without end", async () => {
    let wake: () => void = () => undefined;
    let looks = 0;
    const getBlock = ((of: { blockTag?: string }) => {
      if (of.blockTag === "latest") looks++;
      return client.getBlock(of as never);
    }) as never;
    const heads = {
      onHead: (listener: () => void) => {
        wake = listener;
        return () => undefined;
      },
      tells: () => true,
    };
    const endless = { ...client, getBlock } as PublicClient;
    const following = follower({ client: endless, heads, pollMs: 3_600_000, restMs: 3_600_000 });
    await following.start();
    const ended = new AbortController();
    looks = 0;
    const running = following.run(ended.signal);
    for (let told = 0; looks === 0 || told < 50; told++) {
      wake();
      await new Promise((done) => setTimeout(done, 1));
    }
    expect(looks).to.equal(1);
    ended.abort();
    await running;
  });

  it("follows the finalized tag", async () => {
    await emitApp(anvil, deployment, APP, word(7));
    const following = follower({ finality: "finalized" });
    await following.start();
    const tagged = await client.getBlock({ blockTag: "finalized" });
    expect(following.projection().final.block.hash).to.equal(tagged.hash);
  });
});
