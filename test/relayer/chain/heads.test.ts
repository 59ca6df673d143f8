import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect } from "chai";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

import { openChain } from "../../../relayer/chain/client.ts";
import { Endpoint } from "../../../relayer/chain/Endpoint.ts";
import { isNoAnswer } from "../../../relayer/chain/noAnswer.ts";
import { isRangeRefusal } from "../../../relayer/chain/rangeRefusal.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import { RpcSocket } from "../../../relayer/chain/RpcSocket.ts";
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

  describe("from a node that", () => {
    /** A node that answers each message of its `nth` socket, from 1 on, with these texts. */
    const nodes: WebSocketServer[] = [];
    const nodeThat = async (
      answers: (id: number, nth: number) => readonly string[],
    ): Promise<WebSocketServer> => {
      const node = new WebSocketServer({ port: 0, host: "127.0.0.1" });
      nodes.push(node);
      await once(node, "listening");
      let sockets = 0;
      node.on("connection", (client) => {
        const nth = ++sockets;
        client.on("message", (data: Buffer) => {
          const { id } = JSON.parse(data.toString()) as { id: number };
          for (const answer of answers(id, nth)) client.send(answer);
        });
      });
      return node;
    };
    const sockets: RpcSocket[] = [];
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.close();
      for (const node of nodes.splice(0)) node.close();
    });
    const socketTo = (node: WebSocketServer, timeoutMs: number): RpcSocket => {
      const url = `ws://127.0.0.1:${(node.address() as AddressInfo).port}`;
      const socket = new RpcSocket({ url, timeoutMs, onHead: () => undefined });
      sockets.push(socket);
      return socket;
    };

    it("sends what is no answer harm nobody", async () => {
      const node = await nodeThat((id) => [
        ...["null", "7", '"x"', "[]", "{", "{}", '{"id":null}', `{"id":"${id}","result":1}`],
        JSON.stringify({ id, result: "0x1", error: null }),
      ]);
      const socket = socketTo(node, 10_000);
      expect(await socket.request({ method: "eth_chainId" })).to.equal("0x1");
    });

    it("sends more than anything may be loses its socket, and every question of it but one for logs is met by silence", async () => {
      const huge = "x".repeat(10_485_761);
      const node = await nodeThat((id, nth) => [nth === 1 ? huge : JSON.stringify({ id, result: "0x1" })]);
      const closed = once(node, "connection").then(([client]: unknown[]) =>
        once(client as WebSocket, "close"),
      );
      const socket = socketTo(node, 10_000);
      const [silent, refused] = await Promise.all(
        ["eth_chainId", "eth_getLogs"].map((method) => socket.request({ method }).catch((e: unknown) => e)),
      );
      expect(silent).to.have.property("name", "SocketClosedError");
      expect(refused).to.have.property("name", "OversizedMessageError");
      // Fewer blocks are asked next, and it counts as no answer.
      expect([isRangeRefusal(refused), isNoAnswer(refused)]).to.deep.equal([true, true]);
      expect((await closed)[0]).to.equal(1009);
      expect(await socket.request({ method: "eth_chainId" })).to.equal("0x1");
    });

    it("sends too much, also when asked for logs, is left alone for a while, and the others answer", async () => {
      const huge = JSON.stringify({ id: 1, result: "x".repeat(10_485_760) });
      const node = await nodeThat(() => [huge]);
      const url = `ws://127.0.0.1:${(node.address() as AddressInfo).port}`;
      for (const method of ["eth_chainId", "eth_getLogs"]) {
        const endpoint = new Endpoint({ url, index: 0, now: () => 0 });
        await endpoint.request({ method, params: [{}] }).catch(() => undefined);
        expect(endpoint.isUsable, method).to.equal(false);
        endpoint.close();
      }
      const chain = openChain([url, anvil.url], 1);
      expect(await chain.client.getChainId()).to.equal(31_337);
      const hasAnswered = chain.endpoints().map(({ latencyMs }) => latencyMs !== null);
      expect(hasAnswered).to.deep.equal([false, true]);
      chain.close();
    });

    it("sends as much as anything may be is understood", async () => {
      const text = (id: number) => JSON.stringify({ id, result: "" });
      const node = await nodeThat((id) => {
        const result = "x".repeat(10_485_760 - text(id).length);
        return [JSON.stringify({ id, result })];
      });
      const socket = socketTo(node, 10_000);
      const answer = (await socket.request({ method: "eth_getLogs" })) as string;
      expect(answer.length).to.be.greaterThan(10_000_000);
    });

    it("refuses in a form of its own refuse", async () => {
      const node = await nodeThat((id) => [JSON.stringify({ id, error: "no" })]);
      const socket = socketTo(node, 10_000);
      const refused: unknown = await socket.request({ method: "eth_chainId" }).catch((e: unknown) => e);
      expect(refused).to.have.property("name", "RpcRequestError");
    });

    it("is gone without a word are asked over a new socket", async () => {
      const node = await nodeThat((id, nth) => (nth === 1 ? [] : [JSON.stringify({ id, result: "0x1" })]));
      const socket = socketTo(node, 1_000);
      const silent: unknown = await socket.request({ method: "eth_chainId" }).catch((e: unknown) => e);
      expect(silent).to.have.property("name", "TimeoutError");
      expect(await socket.request({ method: "eth_chainId" })).to.equal("0x1");
    });
  });
});
