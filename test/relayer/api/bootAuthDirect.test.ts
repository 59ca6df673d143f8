import { expect } from "chai";
import pino from "pino";
import { decodeFunctionData, encodeFunctionResult } from "viem";
import type { Hex } from "viem";

import type { Address } from "../../../protocol/words/hex.ts";
import { directAuthorizer } from "../../../relayer/api/bootAuth/direct/authorizer.ts";
import { kmsAbi } from "../../../relayer/api/bootAuth/direct/kmsAbi.ts";
import { KmsContract } from "../../../relayer/api/bootAuth/direct/KmsContract.ts";
import { bootAuthServer } from "../../../relayer/api/bootAuth/server.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";
import type { Answers, JsonRpc } from "../support/jsonRpc.ts";

const CONTRACT = `0x${"a1".repeat(20)}` as Address;
const IMPLEMENTATION = "0x00000000000000000000000000000000000000A2";
const NOW = 1_800_000_000;
const BODY = {
  mrAggregated: "01",
  osImageHash: "ab",
  appId: "aa".repeat(20),
  composeHash: "cc",
  instanceId: "",
  deviceId: "0xdd",
};
const UNAVAILABLE = '200 {"isAllowed":false,"reason":"authorization backend unavailable","gatewayAppId":""}';
const ALLOWED = '200 {"isAllowed":true,"reason":"","gatewayAppId":"0xgateway"}';

/** A node that stands at `height`, with a contract that allows apps and denies KMS instances. */
function answers(over: Answers = {}, height = 100): Answers {
  return {
    eth_chainId: "0x7a69",
    eth_blockNumber: `0x${height.toString(16)}`,
    eth_getBlockByNumber: (number: Hex) => ({ number, timestamp: `0x${(NOW - 10).toString(16)}` }),
    eth_call: ({ data }: { data: Hex }) => {
      const { functionName } = decodeFunctionData({ abi: kmsAbi, data });
      const results = {
        isAppAllowed: [true, ""],
        isKmsAllowed: [false, "Aggregated MR not allowed"],
        gatewayAppId: "0xgateway",
        appImplementation: IMPLEMENTATION,
      } as const;
      return encodeFunctionResult({ abi: kmsAbi, functionName, result: results[functionName] });
    },
    ...over,
  };
}

describe("bootAuth direct mode", () => {
  let rpc: JsonRpc;
  afterEach(() => rpc.stop());

  async function fixture(
    node: Answers,
    options: {
      chainId?: number;
      confirmations?: number;
      maxHeadAgeSeconds?: number;
      uptime?: () => number;
    } = {},
  ) {
    rpc = await startJsonRpc(node);
    const { chainId, confirmations = 0, maxHeadAgeSeconds = 300, uptime = () => 0 } = options;
    const contract = new KmsContract({
      rpcUrl: rpc.url,
      contract: CONTRACT,
      chainId,
      confirmations,
      maxHeadAgeSeconds,
      now: () => NOW,
      uptime,
    });
    const log: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => log.push(line) });
    const server = bootAuthServer({ ...directAuthorizer(contract, logger), logger });
    const ask = async (path: "app" | "kms", payload: object | string = BODY) => {
      const answer = await server.inject({
        method: "POST",
        url: `/bootAuth/${path}`,
        payload: typeof payload === "string" ? payload : JSON.stringify(payload),
      });
      return `${answer.statusCode} ${answer.body}`;
    };
    return { server, ask, log };
  }

  it("passes on what the contract says of an app and of a KMS", async () => {
    const { ask } = await fixture(answers());
    expect(await ask("app")).to.equal(ALLOWED);
    expect(await ask("kms")).to.equal(
      '200 {"isAllowed":false,"reason":"Aggregated MR not allowed","gatewayAppId":"0xgateway"}',
    );
  });

  it("asks one block number and pins every call to it, less the confirmations, in hex", async () => {
    const { ask } = await fixture(answers(), { confirmations: 12 });
    expect(await ask("app")).to.equal(ALLOWED);
    const calls = rpc.calls.filter(({ method }) => method === "eth_call");
    expect(calls.map(({ params }) => params[1])).to.deep.equal(["0x58", "0x58"]);
    expect(rpc.calls.filter(({ method }) => method === "eth_blockNumber")).to.have.length(1);
    const [call] = calls.map(({ params }) => params[0] as { to: string; data: Hex });
    expect(call?.to).to.equal(CONTRACT);
    const { args } = decodeFunctionData({ abi: kmsAbi, data: call?.data ?? "0x" });
    expect(args?.[0]).to.include({
      composeHash: `0x${"cc".padStart(64, "0")}`,
      instanceId: `0x${"00".repeat(20)}`,
      deviceId: `0x${"dd".padStart(64, "0")}`,
      tcbStatus: "",
    });
  });

  it("refuses a request that is none before it asks the chain", async () => {
    const { ask } = await fixture(answers());
    const refused = '400 {"isAllowed":false,"reason":"invalid authorization request","gatewayAppId":""}';
    expect(await ask("app", "{")).to.equal(refused);
    expect(await ask("kms", { ...BODY, composeHash: 1 })).to.equal(refused);
    expect(rpc.calls).to.deep.equal([]);
  });

  const silent = (): Promise<never> => Promise.reject(new Error("not reached"));
  const broken: Record<string, Answers> = {
    "no block number": { eth_blockNumber: undefined },
    "a block number that is none": { eth_blockNumber: "soon" },
    "no chain id": { eth_chainId: undefined },
    "a call that fails": { eth_call: undefined },
    "no contract": { eth_call: "0x" },
    "an answer that is no pair": { eth_call: `0x${"00".repeat(31)}01` },
    "a permission that is neither true nor false": {
      eth_call: `0x${"00".repeat(31)}02${"00".repeat(31)}40${"00".repeat(32)}`,
    },
    "no such block": { eth_getBlockByNumber: null },
  };
  for (const [what, over] of Object.entries(broken)) {
    it(`denies where the node gives ${what}`, async () => {
      const { ask, server } = await fixture(answers(over));
      expect(await ask("app")).to.equal(UNAVAILABLE);
      expect(await ask("kms")).to.equal(UNAVAILABLE);
      const told = await server.inject({ method: "GET", url: "/" });
      expect([told.statusCode, told.body]).to.deep.equal([
        500,
        '{"status":"error","message":"authorization backend unavailable"}',
      ]);
    });
  }

  it("denies where nothing answers, and names no endpoint in its log", async () => {
    const { ask, log } = await fixture(answers({ eth_call: silent }));
    await rpc.stop();
    expect(await ask("app")).to.equal(UNAVAILABLE);
    expect(log.join("")).to.contain("the chain cannot be asked").and.not.to.contain("secret-key");
  });

  it("denies on a head that stands still, and on any age where told so", async () => {
    const old = { eth_getBlockByNumber: { timestamp: `0x${(NOW - 301).toString(16)}` } };
    const { ask } = await fixture(answers(old));
    expect(await ask("app")).to.equal(UNAVAILABLE);
    await rpc.stop();
    const patient = await fixture(answers(old), { maxHeadAgeSeconds: 0 });
    expect(await patient.ask("app")).to.equal(ALLOWED);
  });

  it("denies after the node was set back, until it has caught up", async () => {
    const { ask } = await fixture(answers());
    expect(await ask("app")).to.equal(ALLOWED);
    rpc.answers = answers({}, 99);
    expect(await ask("app")).to.equal(UNAVAILABLE);
    rpc.answers = answers({}, 100);
    expect(await ask("app")).to.equal(ALLOWED);
  });

  it("denies on a head that stands still though its time is ahead of the clock", async () => {
    let uptime = 0;
    const ahead = { eth_getBlockByNumber: { timestamp: `0x${(NOW + 9_000).toString(16)}` } };
    const { ask } = await fixture(answers(ahead), { uptime: () => uptime });
    expect(await ask("app")).to.equal(ALLOWED);
    uptime = 301;
    expect(await ask("app")).to.equal(UNAVAILABLE);
    rpc.answers = answers(ahead, 101);
    expect(await ask("app")).to.equal(ALLOWED);
  });

  it("is not bound by a head or a chain that the node could not answer for", async () => {
    const { ask } = await fixture(answers({ eth_chainId: "0x1", eth_call: undefined }, 1_000_000));
    expect(await ask("app")).to.equal(UNAVAILABLE);
    rpc.answers = answers();
    expect(await ask("app")).to.equal(ALLOWED);
  });

  it("denies while the chain is shorter than the confirmations", async () => {
    const { ask } = await fixture(answers({}, 11), { confirmations: 12 });
    expect(await ask("app")).to.equal(UNAVAILABLE);
  });

  it("denies on another chain than the pinned one, or than the one seen first", async () => {
    const pinned = await fixture(answers(), { chainId: 1 });
    expect(await pinned.ask("app")).to.equal(UNAVAILABLE);
    await rpc.stop();
    const { ask } = await fixture(answers());
    expect(await ask("app")).to.equal(ALLOWED);
    rpc.answers = answers({ eth_chainId: "0x1" }, 101);
    expect(await ask("app")).to.equal(UNAVAILABLE);
  });

  it("tells what it is, without the secret part of the endpoint", async () => {
    const { server } = await fixture(answers());
    const { body } = await server.inject({ method: "GET", url: "/" });
    expect(JSON.parse(body)).to.deep.equal({
      status: "ok",
      kmsContractAddr: "0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1",
      ethRpcUrl: new URL(rpc.url).origin,
      gatewayAppId: "0xgateway",
      chainId: 31_337,
      appAuthImplementation: IMPLEMENTATION,
      appImplementation: IMPLEMENTATION,
    });
  });
});
