import { expect } from "chai";
import pino from "pino";
import { decodeFunctionData, encodeFunctionResult } from "viem";
import type { Hex } from "viem";

import type { BlockRef } from "../../../protocol/state/types.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { bootAuthorizer } from "../../../relayer/api/bootAuth/authorizer.ts";
import { kmsAbi } from "../../../relayer/api/bootAuth/direct/kmsAbi.ts";
import { GatewayApp } from "../../../relayer/api/bootAuth/gatewayApp.ts";
import { parseBootRequest } from "../../../relayer/api/bootAuth/parseBootRequest.ts";
import { openChain } from "../../../relayer/chain/client.ts";
import type { Projection } from "../../../relayer/chain/projection.ts";
import type { RelayerConfig } from "../../../relayer/config.ts";
import { History, word } from "../../protocol/state/builders.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";
import type { JsonRpc } from "../support/jsonRpc.ts";

const KMS = `0x${"a1".repeat(20)}` as Address;
const REGISTRY = `0x${"b2".repeat(20)}` as Address;
const MAX_HEAD_AGE = 60;
const DENIED = "KMS is not allowed to boot on this device";
const UNAVAILABLE = { kind: "unavailable" };

const bootInfo = parseBootRequest(
  JSON.stringify({
    mrAggregated: "01",
    osImageHash: "02",
    appId: "",
    composeHash: "",
    instanceId: "",
    deviceId: "d".repeat(64),
    tcbStatus: "UpToDate",
    advisoryIds: ["INTEL-SA-1"],
  }),
);

/** What the contract says at a block. */
interface Said {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly gateway: string;
}
const YES: Said = { isAllowed: true, reason: "", gateway: "0xaa" };

describe("boot authorization of a KMS over the projection", () => {
  const { state } = new History().create(1);
  let rpc: JsonRpc;
  let close: () => void;
  /** By block hash; a block that is not here is unknown to the node. */
  let said: Map<Hex, Said | "empty" | "nonsense">;
  let heads: { final: BlockRef; newest: BlockRef };
  let headAge: number;
  let update: () => void;

  const block = (number: number): BlockRef => ({
    number: BigInt(number),
    hash: word(number),
    parentHash: word(number - 1),
    timestamp: Math.floor(Date.now() / 1_000),
  });

  beforeEach(async () => {
    heads = { final: block(10), newest: block(20) };
    said = new Map([
      [word(10), YES],
      [word(20), YES],
    ]);
    headAge = 0;
    update = () => expect.fail("nobody listens");
    rpc = await startJsonRpc({
      eth_getCode: "0x60",
      eth_call: ({ to, data }: { to: string; data: Hex }, at: { blockHash: Hex }) => {
        if (to !== KMS) return `0x${"c3".repeat(20).padStart(64, "0")}`;
        const now = said.get(at.blockHash);
        if (now === undefined) return { error: { code: -32_000, message: "header not found" } };
        if (now === "empty") return "0x";
        if (now === "nonsense") return "0x01";
        const { functionName, args } = decodeFunctionData({ abi: kmsAbi, data });
        if (functionName === "gatewayAppId")
          return encodeFunctionResult({ abi: kmsAbi, functionName, result: now.gateway });
        if (functionName !== "isKmsAllowed") return "0x";
        expect(args[0]).to.deep.include({ deviceId: bootInfo.deviceId, advisoryIds: ["INTEL-SA-1"] });
        return encodeFunctionResult({ abi: kmsAbi, functionName, result: [now.isAllowed, now.reason] });
      },
    });
  });
  afterEach(async () => {
    close();
    await rpc.stop();
  });

  const authorizer = async (dstackKms: Address | undefined = KMS) => {
    const chain = openChain([rpc.url]);
    close = chain.close;
    const deployment = { chainId: 31_337, appRegistry: REGISTRY, ...(dstackKms && { dstackKms }) };
    return bootAuthorizer({
      client: chain.client,
      follower: {
        projection: (): Projection => ({
          final: { block: heads.final, state },
          newest: { block: heads.newest, state },
        }),
        status: () => ({ ready: true, newest: null, final: null, reorgs: 0, deepReorgs: 0, lastError: null }),
        headAgeSeconds: () => headAge,
        onUpdate: (listener) => {
          update = () => listener({} as never, {} as never);
          return () => undefined;
        },
      },
      config: {
        deployment,
        rpcUrls: [rpc.url],
        maxHeadAgeSeconds: MAX_HEAD_AGE,
      } as unknown as RelayerConfig,
      logger: pino({ level: "silent" }),
      onDecided: () => undefined,
    });
  };

  it("decideKms_bothHeadsAllow_isAllowed", async () => {
    const { decideKms } = await authorizer();
    expect(await decideKms(bootInfo)).to.deep.include({ kind: "decided", isAllowed: true, reason: "" });
    const asked = rpc.calls.filter(({ method, params }) => method === "eth_call" && isToKms(params));
    expect(asked.map(({ params }) => params[1])).to.have.deep.members([
      { blockHash: word(10) },
      { blockHash: word(20) },
    ]);
  });

  for (const [which, hash] of [
    ["final", word(10)],
    ["newest", word(20)],
  ] as const) {
    it(`decideKms_the${which}BlockDenies_isDeniedInTheContractsWords`, async () => {
      said.set(hash, { ...YES, isAllowed: false, reason: "Aggregated MR not allowed" });
      const { decideKms } = await authorizer();
      expect(await decideKms(bootInfo)).to.deep.include({
        isAllowed: false,
        reason: "Aggregated MR not allowed",
      });
    });

    it(`decideKms_the${which}BlockCannotBeAsked_isUnavailable`, async () => {
      const { decideKms } = await authorizer();
      for (const wrong of ["empty", "nonsense"] as const) {
        said.set(hash, wrong);
        expect(await decideKms(bootInfo), wrong).to.deep.equal(UNAVAILABLE);
      }
      said.delete(hash);
      expect(await decideKms(bootInfo)).to.deep.equal(UNAVAILABLE);
    });
  }

  it("decideKms_theHeadIsTooOld_isUnavailable_alsoWhenItGrewOldMeanwhile", async () => {
    const { decideKms } = await authorizer();
    headAge = MAX_HEAD_AGE + 1;
    expect(await decideKms(bootInfo)).to.deep.equal(UNAVAILABLE);
    headAge = 0;
    const asking = decideKms(bootInfo);
    headAge = MAX_HEAD_AGE + 1;
    expect(await asking).to.deep.equal(UNAVAILABLE);
  });

  it("decideKms_theNodeIsAway_isUnavailable", async () => {
    const { decideKms } = await authorizer();
    await rpc.stop();
    expect(await decideKms(bootInfo)).to.deep.equal(UNAVAILABLE);
  });

  it("decideKms_noContractInTheAddressBook_deniesEveryKms", async () => {
    close = () => undefined;
    const chain = openChain([rpc.url]);
    const { decideKms, info } = await bootAuthorizer({
      client: chain.client,
      follower: {
        projection: () => expect.fail("nothing is asked"),
        status: () => ({ ready: true, newest: null, final: null, reorgs: 0, deepReorgs: 0, lastError: null }),
        headAgeSeconds: () => 0,
        onUpdate: () => expect.fail("nothing is read"),
      },
      config: {
        deployment: { chainId: 31_337, appRegistry: REGISTRY },
        rpcUrls: [rpc.url],
        maxHeadAgeSeconds: MAX_HEAD_AGE,
      } as unknown as RelayerConfig,
      logger: pino({ level: "silent" }),
      onDecided: () => undefined,
    });
    expect(await decideKms(bootInfo)).to.deep.equal({
      ...{ kind: "decided", isAllowed: false },
      ...{ reason: DENIED, gatewayAppId: "" },
    });
    expect(await info()).to.deep.include({ gatewayAppId: "" });
    chain.close();
  });

  it("gatewayAppId_bothHeadsNameIt_isToldWithEveryDecision", async () => {
    const { decideApp, decideKms, info } = await authorizer();
    const ids = async () => [
      (await decideKms(bootInfo)) as unknown,
      (await decideApp(bootInfo)) as unknown,
      (await info()) as unknown,
    ];
    for (const one of await ids()) expect(one, "not read yet").to.have.property("gatewayAppId", "");
    update();
    await told(async () => ((await info())?.gatewayAppId ?? "") === "0xaa");
    for (const one of await ids()) expect(one).to.have.property("gatewayAppId", "0xaa");
    expect((await info())?.kmsContractAddr.toLowerCase()).to.equal(KMS);

    said.set(word(20), { ...YES, gateway: "0xbb" }); // Named in the newest block, and not final.
    update();
    await told(async () => (await info())?.gatewayAppId === "");
    said.set(word(10), { ...YES, gateway: "0xbb" });
    update();
    await told(async () => (await info())?.gatewayAppId === "0xbb");
  });

  it("gatewayApp_whatCannotBeReadForTooLong_isForgotten", async () => {
    let failing = false;
    let failures = 0;
    let readings = 0;
    const gateway = new GatewayApp({
      kms: {
        gatewayAppId: async () => {
          readings++;
          if (failing) throw new Error("away");
          return { id: "0xaa", final: heads.final, newest: { ...heads.newest, timestamp: 1_000 } };
        },
      },
      maxHeadAgeSeconds: MAX_HEAD_AGE,
      onFailed: () => failures++,
    });
    expect(gateway.id(1_000)).to.equal("");
    await Promise.all([gateway.changed(), gateway.changed(), gateway.changed()]);
    expect(readings, "one at a time, and once more after it").to.equal(2);
    expect([gateway.id(1_000), gateway.id(1_060), gateway.id(1_061)]).to.deep.equal(["0xaa", "0xaa", ""]);
    failing = true;
    await gateway.changed();
    expect([failures, gateway.id(1_060), gateway.id(1_061)]).to.deep.equal([1, "0xaa", ""]);
  });
});

const isToKms = (params: readonly unknown[]): boolean => (params[0] as { to?: string }).to === KMS;

async function told(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect.fail("never told");
}
