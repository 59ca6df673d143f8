import { expect } from "chai";

import { openChain } from "../../../relayer/chain/client.ts";
import { isNoAnswer } from "../../../relayer/chain/noAnswer.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import { openStore } from "../../../relayer/store/store.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { wireTo } from "../../support/wire.ts";
import type { Wire } from "../../support/wire.ts";
import { until } from "../support/until.ts";
import { placeDeployment } from "./scene.ts";

const wireUrl = ({ port }: Wire): string => `ws://127.0.0.1:${port}`;

describe("heads by WebSocket", function () {
  this.timeout(60_000);
  let anvil: Anvil;
  let wire: Wire;
  before(async () => {
    anvil = await startAnvil(["--no-mining"]);
  });
  beforeEach(async () => {
    wire = await wireTo(anvil.port);
  });
  afterEach(() => wire.stop());
  after(() => anvil.stop());
  const mine = () => anvil.rpc("anvil_mine", "0x1");

  it("wake the follower at once, and after the socket died it asks, until it is told again", async () => {
    const deployment = await placeDeployment(anvil);
    const store = await openStore(await freshDatabase());
    const chain = openChain([wireUrl(wire)]);
    // It would ask once an hour: what it follows sooner, it was told of.
    const following = new Follower({ ...chain, store, deployment, finality: 0, pollMs: 3_600_000 });
    const ended = new AbortController();
    await following.start();
    const running = following.run(ended.signal);
    try {
      const follows = async () => {
        const before = following.status().newest?.number ?? 0n;
        await mine();
        await until("the head is followed", async () => (following.status().newest?.number ?? 0n) > before);
      };
      await until("the node tells", async () => chain.heads.tells());
      await follows();
      await follows();
      wire.cut();
      await until("it notices", async () => !chain.heads.tells());
      await chain.client.getBlockNumber(); // As the outbox does all the time.
      await until("the node tells again", async () => chain.heads.tells());
      await follows();
    } finally {
      ended.abort();
      await running;
      chain.close();
      await store.close();
    }
  });

  it("follow by asking where the socket cannot be opened at all", async () => {
    const deployment = await placeDeployment(anvil);
    const store = await openStore(await freshDatabase());
    const dead = await wireTo(1);
    const chain = openChain([wireUrl(dead), anvil.url], 1);
    const following = new Follower({ ...chain, store, deployment, finality: 0, pollMs: 20 });
    const ended = new AbortController();
    await following.start();
    const running = following.run(ended.signal);
    const before = following.status().newest?.number ?? 0n;
    await mine();
    await until("the head is followed", async () => (following.status().newest?.number ?? 0n) > before);
    expect(chain.heads.tells()).to.equal(false);
    ended.abort();
    await running;
    await store.close();
    await dead.stop();
  });

  it("carry answers and refusals as http does, and a cut socket is silence", async () => {
    const { client, close } = openChain([wireUrl(wire)]);
    const [over, plain] = await Promise.all([
      client.getBlock({ blockTag: "latest" }),
      openChain([anvil.url]).client.getBlock({ blockTag: "latest" }),
    ]);
    expect(over.hash).to.equal(plain.hash);
    const refused: unknown = await client
      .request({ method: "eth_nothing" as never })
      .catch((e: unknown) => e);
    expect(refused).to.be.an.instanceOf(Error);
    expect(isNoAnswer(refused)).to.equal(false);
    close();
    await wire.stop();
    const silent: unknown = await client.getBlockNumber().catch((e: unknown) => e);
    expect(isNoAnswer(silent)).to.equal(true);
    wire = await wireTo(anvil.port);
  });
});
