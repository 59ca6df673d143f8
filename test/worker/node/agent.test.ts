import { expect } from "chai";
import { recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { CharterError } from "../../../protocol/errors/CharterError.ts";
import { nodePollTypedData } from "../../../protocol/session/nodePoll.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { Guests } from "../../../worker/node/Guests.ts";
import { NodeAgent } from "../../../worker/node/NodeAgent.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";
import { until } from "../../relayer/support/until.ts";
import { Inbox } from "../support/Inbox.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, TestRelayer } from "../support/TestRelayer.ts";

describe("the node agent", () => {
  const pki = createTestPki();
  const platform = simulatedPlatform(pki, { name: "one" });
  const operator = privateKeyToAccount(`0x${"44".repeat(32)}`);
  const account = privateKeyToAccount(`0x${"55".repeat(32)}`);
  const key = account.address.toLowerCase() as Address;
  let relayer: TestRelayer;
  let clock: ManualClock;
  let told: Inbox<Record<string, unknown>>;
  let stop: AbortController;
  let started: string[];
  let running: Promise<void>;
  const now = { seconds: 1_800_000_000 };

  beforeEach(async () => {
    relayer = await new TestRelayer(pki).start();
    clock = new ManualClock();
    told = new Inbox();
    stop = new AbortController();
    started = [];
    now.seconds = 1_800_000_000;
    relayer.nodeExpiresAt = now.seconds + 900;
  });
  afterEach(async () => {
    stop.abort();
    await running.catch(() => undefined);
    await relayer.server.close();
  });

  const agent = () => {
    const driver = {
      name: "recorded",
      start: ({ id }: { id: string }) => void started.push(id),
      stop: async (id: string) => void started.splice(started.indexOf(id), 1),
      list: () => started,
    };
    running = new NodeAgent({
      relayers: [new RelayerClient(relayer.url)],
      register: {
        pinned: CHAIN,
        operator,
        account,
        openSource: async () => new SimulatedTdx(platform),
      },
      pinned: CHAIN,
      account,
      platformId: platform.platformId,
      guests: new Guests({ driver, clock, report: (change) => told.put({ ...change }) }),
      clock,
      pollMilliseconds: 1_000,
      unixNow: () => now.seconds,
      report: told.put,
    }).run(stop.signal);
    return running;
  };
  /** Lets the agent poll until it says so. */
  const polled = async (fits: (message: Record<string, unknown>) => boolean) => {
    const found = told.until(fits);
    const tick = setInterval(() => clock.advance(1_000), 5);
    try {
      return await found;
    } finally {
      clearInterval(tick);
    }
  };

  it("registers with evidence that the real verifier accepts, and signatures of operator and key", async () => {
    void agent();
    const ready = await polled(({ ready }) => ready === true);
    expect(ready).to.include({ node: 1, key, platformId: platform.platformId });
    expect(relayer.nodes.get(key)?.operator).to.equal(operator.address.toLowerCase());
  });

  it("does not register again what is registered", async () => {
    relayer.nodes.set(key, {
      number: 9,
      key,
      operator: operator.address.toLowerCase() as Address,
      platformId: platform.platformId,
      expiresAt: now.seconds + 900,
      retired: false,
    });
    void agent();
    expect(await polled(({ ready }) => ready === true)).to.include({ node: 9 });
    expect(relayer.registrations).to.equal(0);
  });

  it("runs what is placed here and stops it when asked to stop", async () => {
    relayer.placements = [
      {
        app: `0x${"ab".repeat(20)}` as Address,
        slot: 0,
        release: 1,
        composeHash: `0x${"cd".repeat(32)}` as never,
      },
    ];
    void agent();
    await polled(({ change }) => change === "started");
    expect(started).to.have.length(1);
    stop.abort();
    await running;
    expect(started).to.have.length(0);
  });

  it("signs each of its questions, when it asks, by the node's key", async () => {
    void agent();
    await polled(({ ready }) => ready === true);
    now.seconds += 5;
    await until("it asks again", async () => {
      clock.advance(1_000);
      return relayer.polls.some(({ poll }) => poll?.at === now.seconds);
    });
    for (const { key: asked, poll } of relayer.polls) {
      expect(asked).to.equal(key);
      const typedData = nodePollTypedData(CHAIN.chainId, CHAIN.nodeRegistry, poll?.at ?? 0);
      const signer = await recoverTypedDataAddress({ ...typedData, signature: poll?.signature ?? "0x" });
      expect(signer).to.equal(account.address);
    }
  });

  it("keeps guests running while no relayer answers", async () => {
    relayer.placements = [
      {
        app: `0x${"ab".repeat(20)}` as Address,
        slot: 0,
        release: 1,
        composeHash: `0x${"cd".repeat(32)}` as never,
      },
    ];
    void agent();
    await polled(({ change }) => change === "started");
    await relayer.server.close();
    await polled(({ state }) => state === "relayers-failed");
    expect(started).to.have.length(1);
  });

  it("renews in the last third of its time", async () => {
    void agent();
    await polled(({ ready }) => ready === true);
    now.seconds += 500;
    for (let i = 0; i < 3; i++) clock.advance(1_000);
    expect(relayer.registrations).to.equal(1);
    now.seconds += 101;
    relayer.nodeExpiresAt = now.seconds + 900;
    const renewed = await polled(({ state }) => state === "renewed");
    expect(renewed).to.include({ expiresAt: relayer.nodeExpiresAt });
    expect(relayer.registrations).to.equal(2);
  });

  it("refuses to go on with a key that was retired, or is another platform's", async () => {
    const node = {
      number: 9,
      key,
      operator: operator.address.toLowerCase() as Address,
      platformId: platform.platformId,
      expiresAt: now.seconds + 900,
      retired: true,
    };
    relayer.nodes.set(key, node);
    expect(await refusal(agent())).to.equal("node/retired");
    relayer.nodes.set(key, { ...node, retired: false, platformId: `0x${"99".repeat(32)}` as never });
    expect(await refusal(agent())).to.equal("node/platform-changed");
  });

  it("says why it cannot register, and goes on trying", async () => {
    relayer.chain = { ...CHAIN, chainId: 1 };
    void agent();
    const trouble = await polled(({ state }) => state === "not-registered");
    expect((trouble.error as ReturnType<CharterError["toJSON"]>).code).to.equal("chain/mismatch");
    relayer.chain = CHAIN;
    await polled(({ ready }) => ready === true);
  });
});
