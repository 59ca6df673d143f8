import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { openChain } from "../../../relayer/chain/client.ts";
import { Endpoint } from "../../../relayer/chain/Endpoint.ts";
import { Endpoints } from "../../../relayer/chain/Endpoints.ts";
import { fetchRange } from "../../../relayer/chain/fetchRange.ts";
import type { Ours } from "../../../relayer/chain/ownLogs.ts";
import { isNoAnswer } from "../../../relayer/chain/noAnswer.ts";
import { asChainError, readHeader } from "../../../relayer/chain/rpc.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";
import type { Answers, JsonRpc } from "../support/jsonRpc.ts";

const hash = (digits: string): string => `0x${digits.repeat(32)}`;

/** A node that stands at `head`; its block n has the hash nn…nn of its own fork. */
function node(head: number, over: Answers = {}, fork = "aa"): Answers {
  const block = (number: number) => ({
    number: `0x${number.toString(16)}`,
    hash: `${hash(fork).slice(0, 62)}${number.toString(16).padStart(4, "0")}`,
    parentHash: hash("00"),
    timestamp: `0x${(1_000 + number).toString(16)}`,
    logsBloom: `0x${"00".repeat(256)}`,
    transactions: [],
  });
  return {
    eth_chainId: "0x7a69",
    eth_blockNumber: `0x${head.toString(16)}`,
    eth_getBlockByNumber: (tag: string) => {
      const number = { latest: head, finalized: head - 2, safe: head - 1 }[tag] ?? Number(tag);
      return number > head ? null : block(number);
    },
    eth_getLogs: [],
    eth_call: "0x01",
    ...over,
  };
}

describe("RPC endpoints", () => {
  const running: JsonRpc[] = [];
  afterEach(async () => {
    for (const rpc of running.splice(0)) await rpc.stop();
  });
  async function nodes(...answers: Answers[]): Promise<JsonRpc[]> {
    const started = await Promise.all(answers.map(startJsonRpc));
    running.push(...started);
    return started;
  }
  async function open(answers: readonly Answers[], quorum?: number) {
    const rpcs = await nodes(...answers);
    const chain = openChain(
      rpcs.map(({ url }) => url),
      quorum,
    );
    return { rpcs, ...chain };
  }
  const code = async (call: Promise<unknown>): Promise<string> =>
    asChainError("test", call).then(
      () => "answered",
      (error: unknown) => (isCharterError(error) ? error.code : String(error)),
    );
  const wait = (): Promise<void> => new Promise((done) => setTimeout(done, 50));

  it("takes the height that a majority has reached, not the highest that one claims", async () => {
    const { client } = await open([node(99), node(100), node(1_000)]);
    expect((await readHeader(client, "latest")).number).to.equal(100n);
    expect(await client.getBlockNumber()).to.equal(100n);
    expect((await readHeader(client, "finalized")).number).to.equal(98n);
  });

  it("takes what the slowest honest one has where liars lift the height above it", async () => {
    const { client } = await open([node(1_000, {}, "bb"), node(100), node(99)]);
    expect((await readHeader(client, "latest")).number).to.equal(99n);
    const blind = { eth_getBlockByNumber: (tag: string) => (tag === "latest" ? { number: "0x3e8" } : null) };
    const five = [node(1_000, blind), node(1_000, blind), node(99), node(100), node(100)];
    expect(await (await open(five)).client.getBlockNumber()).to.equal(99n);
  });

  describe("of which two out of five are faulty, in whatever way,", () => {
    const RANGE = 50n;
    const log = (number: number) => ({
      address: `0x${"11".repeat(20)}`,
      topics: [hash("22")],
      data: "0x",
      blockNumber: `0x${number.toString(16)}`,
      blockHash: `${hash("aa").slice(0, 62)}${number.toString(16).padStart(4, "0")}`,
      logIndex: "0x0",
      transactionHash: hash("33"),
    });
    const blockOf = node(100).eth_getBlockByNumber as (tag: string) => { hash: string };
    /** Each block follows the one before, so that a range can be read. */
    const chained = (tag: string) => {
      const block = blockOf(tag);
      return block && { ...block, parentHash: blockOf(`0x${(Number(tag) - 1).toString(16)}`)?.hash };
    };
    const logs = [log(7), log(50)];
    const honest = node(100, { eth_getBlockByNumber: chained, eth_getLogs: logs });
    const never = () => new Promise(() => undefined);
    const refusing = (code: number, message: string) => ({ error: { code, message } });
    const faults: Record<string, Answers> = {
      "is away": {},
      hangs: { ...honest, eth_getLogs: never, eth_getBlockByNumber: never },
      "hides all logs": { ...honest, eth_getLogs: [] },
      "hides one": { ...honest, eth_getLogs: [log(7)] },
      "makes one up": { ...honest, eth_getLogs: [...logs, log(9)] },
      "is of another fork": node(100, { eth_getLogs: logs }, "bb"),
      "says nothing": { ...honest, eth_getLogs: null, eth_getBlockByNumber: null },
      "says anything": { ...honest, eth_getLogs: "0x", eth_getBlockByNumber: 7 },
      "refuses the range": {
        ...honest,
        eth_getLogs: refusing(-32_005, "query returned more than 10000 results"),
      },
      "refuses all": { eth_chainId: "0x7a69" },
      "stands far behind": node(3, { eth_getLogs: [] }),
    };
    const parent = {
      number: 0n,
      hash: blockOf("0x0").hash as Bytes32,
      parentHash: hash("00") as Bytes32,
      timestamp: 0,
    };
    const ours: Ours = new Map([[log(7).address as Address, "app"]]);

    const names = Object.keys(faults);
    for (const [index, first] of names.entries()) {
      it(`a range is read whole where one ${first}`, async () => {
        for (const second of names.slice(index)) {
          const { client, rpcs } = await open([
            faults[first] as Answers,
            honest,
            faults[second] as Answers,
            honest,
            honest,
          ]);
          if (first === "is away") await rpcs[0]?.stop();
          if (second === "is away") await rpcs[2]?.stop();
          const range = await fetchRange(client, parent, RANGE, () => ours);
          expect(
            range.logs.map(({ blockNumber }) => blockNumber),
            second,
          ).to.deep.equal([7n, 50n]);
          expect((await readHeader(client, "latest")).number, second).to.equal(100n);
        }
      });
    }

    it("no range is read where three are", async () => {
      const hiding = faults["hides one"] as Answers;
      const { client } = await open([
        hiding,
        faults["hides all logs"] as Answers,
        honest,
        { ...hiding },
        honest,
      ]);
      const reading = fetchRange(client, parent, RANGE, () => ours);
      expect(await code(reading)).to.equal("chain/endpoints-disagree");
    });
  });

  it("believes two that agree over one that lies, and counts the lie", async () => {
    const { client, endpoints } = await open([node(100, {}, "bb"), node(100), node(100)]);
    expect((await readHeader(client, 50n)).hash).to.match(/^0xaa/);
    await wait();
    expect(endpoints().map(({ contradicted }) => contradicted)).to.deep.equal([1, 0, 0]);
  });

  it("refuses to choose where no two agree", async () => {
    const { client } = await open([node(9, {}, "aa"), node(9, {}, "bb"), node(9, {}, "cc")]);
    expect(await code(readHeader(client, 5n))).to.equal("chain/endpoints-disagree");
    expect(await code(readHeader(client, "latest"))).to.equal("chain/endpoints-disagree");
  });

  it("does not let one that hides logs, or a bloom, hide them", async () => {
    const log = {
      address: `0x${"11".repeat(20)}`,
      topics: [hash("22")],
      data: "0x",
      blockNumber: "0x5",
      blockHash: hash("aa"),
      logIndex: "0x0",
      transactionHash: hash("33"),
    };
    const honest = node(9, { eth_getLogs: [log] });
    // Another implementation prints more, and in another case.
    const other = node(9, { eth_getLogs: [{ ...log, removed: false, blockHash: hash("AA") }] });
    const { client } = await open([node(9), honest, other]);
    const logs = await client.request({
      method: "eth_getLogs",
      params: [{ fromBlock: "0x5", toBlock: "0x5" }],
    });
    expect(logs).to.have.length(1);
    const full = node(9).eth_getBlockByNumber as (tag: string) => object;
    const bright = (tag: string) => ({ ...full(tag), logsBloom: `0x${"01".repeat(256)}` });
    const real = node(9, { eth_getBlockByNumber: bright });
    const blooms = await open([node(9), real, real]);
    expect((await readHeader(blooms.client, 5n)).mayHoldLogs).to.equal(true);
  });

  it("goes on while a minority is silent, and fails as silence when too many are", async () => {
    const { client, rpcs, endpoints } = await open([node(9), node(9), node(9)]);
    await rpcs[0]?.stop();
    let usable: boolean[] = [];
    for (let i = 0; i < 100 && usable[0] !== false; i++) {
      expect((await readHeader(client, "latest")).number).to.equal(9n);
      usable = endpoints().map((endpoint) => endpoint.usable);
    }
    expect(usable).to.deep.equal([false, true, true]);
    await rpcs[1]?.stop();
    expect(await code(readHeader(client, 5n))).to.equal("chain/unreachable");
  });

  it("agrees on a refusal by its code and reason", async () => {
    const refusing = (data: string) =>
      node(9, { eth_call: { error: { code: 3, message: Math.random().toString(), data } } });
    const { client } = await open([refusing("0x08c379a0"), refusing("0x08c379a0"), node(9)]);
    const call = client.request({
      method: "eth_call",
      params: [{ to: hash("1").slice(0, 42) as never }, "0x5"],
    });
    const refusal: unknown = await call.then(
      () => "answered",
      (error: unknown) => error,
    );
    expect(refusal).to.be.an.instanceOf(Error);
    expect(isNoAnswer(refusal)).to.equal(false);
  });

  it("asks for state at the agreed height, where one that lies decides nothing", async () => {
    const address = `0x${"11".repeat(20)}` as const;
    const honest = node(9, {
      eth_getTransactionCount: "0x7",
      eth_getBalance: "0x64",
      eth_estimateGas: "0x5208",
    });
    const liar = node(1_000, {
      eth_getTransactionCount: "0x7fff",
      eth_getBalance: "0x0",
      eth_estimateGas: "0x1",
      eth_call: { error: { code: 3, message: "execution reverted", data: "0x08c379a0" } },
    });
    const { client, rpcs } = await open([liar, honest, honest]);
    expect(await client.getTransactionCount({ address })).to.equal(7);
    expect(await client.getBalance({ address, blockTag: "latest" })).to.equal(100n);
    expect((await client.call({ to: address })).data).to.equal("0x01");
    expect(await client.estimateGas({ account: address, to: address })).to.equal(21_000n);
    const asked = rpcs
      .flatMap(({ calls }) => calls)
      .filter(({ method }) => method === "eth_getTransactionCount");
    expect(asked.map(({ params }) => params[1])).to.deep.equal(["0x9", "0x9", "0x9"]);
  });

  it("takes the middle of what nodes reckon, and no number where most refuse", async () => {
    const price = (value: unknown) => node(9, { eth_gasPrice: value });
    const prices = await open([price("0x1"), price("0xffffffff"), price("0x10")]);
    expect(await prices.client.getGasPrice()).to.equal(16n);
    const refusing = price({ error: { code: -32_000, message: "no" } });
    const few = await open([refusing, price("0x10"), refusing]);
    expect(await code(few.client.getGasPrice())).to.equal("chain/unreachable");
  });

  it("does not wait for one that hangs", async () => {
    let answer: () => void = () => undefined;
    const hanging = new Promise<void>((done) => (answer = done));
    const slow = node(9, {
      eth_getBlockByNumber: () => hanging,
      eth_estimateGas: () => hanging,
      eth_sendRawTransaction: () => hanging,
    });
    const taking = node(9, { eth_sendRawTransaction: hash("77"), eth_estimateGas: "0x5208" });
    const { client } = await open([slow, taking, taking]);
    expect((await readHeader(client, "latest")).number).to.equal(9n);
    expect(await client.estimateGas({ to: `0x${"11".repeat(20)}` })).to.equal(21_000n);
    expect(await client.sendRawTransaction({ serializedTransaction: "0x02" })).to.equal(hash("77"));
    answer(); // It never had: so nothing above waited.
  });

  it("takes a revert for what the contract said, whatever code a node has for it", async () => {
    const data = "0x08c379a0";
    const reverting = (error: number) =>
      node(9, { eth_call: { error: { code: error, message: "x", data } } });
    const { client } = await open([reverting(3), reverting(-32_015), node(9)]);
    const call = client.request({
      method: "eth_call",
      params: [{ to: hash("1").slice(0, 42) as never }, "0x5"],
    });
    expect(await code(call)).to.equal("chain/unreachable"); // The node's refusal, and no disagreement.
  });

  it("sends a transaction to all, and is content with one that takes it", async () => {
    const taking = node(9, { eth_sendRawTransaction: hash("77") });
    const { client, rpcs } = await open([node(9), taking, node(9)]);
    expect(await client.sendRawTransaction({ serializedTransaction: "0x02" })).to.equal(hash("77"));
    for (const { calls } of rpcs) {
      expect(calls.some(({ method }) => method === "eth_sendRawTransaction")).to.equal(true);
    }
    const none = await open([node(9), node(9), node(9)]);
    expect(await code(none.client.sendRawTransaction({ serializedTransaction: "0x02" }))).not.to.equal(
      "answered",
    );
  });

  it("takes no refusal of a transaction from one alone while the others are silent", async () => {
    const never = {
      eth_sendRawTransaction: { error: { code: -32_000, message: "exceeds block gas limit" } },
    };
    const { client, rpcs } = await open([node(9, never), node(9), node(9)]);
    await rpcs[1]?.stop();
    await rpcs[2]?.stop();
    const failure: unknown = await client
      .sendRawTransaction({ serializedTransaction: "0x02" })
      .catch((error: unknown) => error);
    expect(isNoAnswer(failure)).to.equal(true);
    const two = await open([node(9, never), node(9, never), node(9)]);
    await two.rpcs[2]?.stop();
    const refused: unknown = await two.client
      .sendRawTransaction({ serializedTransaction: "0x02" })
      .catch((error: unknown) => error);
    expect(isNoAnswer(refused)).to.equal(false);
  });

  it("asks one endpoint where one is enough, and the next where it is silent", async () => {
    const { client, rpcs } = await open([node(9), node(8)]);
    expect(await client.getBlockNumber()).to.equal(9n);
    expect(rpcs[1]?.calls).to.deep.equal([]);
    await rpcs[0]?.stop();
    expect(await client.getBlockNumber()).to.equal(8n);
  });

  it("leaves a silent endpoint alone for longer each time, and takes it back at its first answer", async () => {
    const [rpc] = await nodes(node(9));
    let now = 0;
    const silent = new Endpoint({ url: "http://127.0.0.1:1", index: 0, now: () => now, random: () => 1 });
    const rests: number[] = [];
    for (let i = 0; i < 9; i++) {
      await silent.request({ method: "eth_chainId" }).catch(() => undefined);
      rests.push(silent.restsUntil - now);
      now = silent.restsUntil;
      expect(silent.isUsable).to.equal(true);
    }
    expect(rests).to.deep.equal([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    const healthy = new Endpoint({ url: rpc?.url ?? "", index: 0, now: () => now });
    await healthy.request({ method: "eth_chainId" });
    expect(healthy.health()).to.deep.equal({ index: 0, usable: true, latencyMs: 0, contradicted: 0 });
  });

  it("refuses a quorum that the endpoints cannot give", () => {
    for (const quorum of [0, 3, 1.5]) {
      const endpoints = [0, 1].map((index) => new Endpoint({ url: "http://127.0.0.1:1", index }));
      expect(() => new Endpoints({ endpoints, quorum })).to.throw(/CHARTER_RPC_QUORUM/);
    }
  });
});
