import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { drainTypedData } from "../../../protocol/placement/drain.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { nodeReportTypedData, type NodeReport } from "../../../protocol/session/nodeReport.ts";
import type { BlockRef } from "../../../protocol/state/types.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import { NodeReports } from "../../../relayer/decisions/NodeReports.ts";
import { PlacementDesk } from "../../../relayer/decisions/PlacementDesk.ts";
import type { GrantedLease } from "../../../relayer/leases/LeaseDesk.ts";
import { APP, account, History, OWNER, word } from "../../protocol/state/builders.ts";
import { freshStore } from "../support/freshStore.ts";

const CHAIN_ID = 31_337;
const REGISTRY = account(0xc2);
const operator = privateKeyToAccount(word(0x0e00));
const operatorAddress = operator.address.toLowerCase() as Address;
const T = 1_700_000_000;

describe("PlacementDesk", () => {
  const { store } = freshStore();
  let now: number;
  let newestTime: number;
  let history: History;
  let granted: GrantedLease[];

  beforeEach(() => {
    now = T;
    newestTime = T;
    granted = [];
    history = new History().create(T - 1_000);
    for (const number of [1, 2, 3]) {
      history.node(number, T - 900, { operator: operatorAddress, expiresAt: T + 100_000 });
    }
    history.replicas(1, T - 800);
  });

  const block = (timestamp: number): BlockRef => ({
    number: BigInt(timestamp),
    hash: word(timestamp),
    parentHash: word(timestamp - 1),
    timestamp,
  });
  const desk = (silentSeconds = 60) =>
    new PlacementDesk({
      chainId: CHAIN_ID,
      nodeRegistry: REGISTRY,
      projection: () => ({
        final: { block: block(now), state: history.state },
        newest: { block: block(newestTime), state: history.state },
      }),
      nodes: store().nodes,
      leases: () => granted,
      now: () => now,
      silentSeconds,
      handoverSeconds: 100,
    });
  const signed = async (node: number, draining: boolean, at = now, signer = operator) => ({
    node,
    draining,
    at,
    signature: await signer.signTypedData(drainTypedData(CHAIN_ID, REGISTRY, { node, draining, at })),
  });
  const lease = (node: number, release = 1): GrantedLease => ({
    app: APP,
    key: account(0xb0 + node),
    node,
    release,
    composeHash: word(0x1000 + release) as unknown as ComposeHash,
    until: now + 60,
  });
  const refusal = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "taken",
      (error: unknown) => (isCharterError(error) ? error.code : String(error)),
    );
  const runs = (from: PlacementDesk) =>
    [1, 2, 3]
      .filter((node) => from.ofNode(node).length > 0)
      .map((node) => [node, from.ofNode(node)[0]?.release]);
  const homeOf = (from: PlacementDesk): number => from.all()[0]?.node ?? 0;

  it("drain_handsOverBeforeItStops_andReplicasKnow", async () => {
    const [one, other] = [desk(), desk()];
    const home = homeOf(one);
    await one.drain(await signed(home, true));
    const next = homeOf(one);
    expect(next).not.to.equal(home);
    // Both run it until the lease is there, where it went.
    expect(runs(one).map(([node]) => node)).to.have.members([home, next]);
    granted.push(lease(home));
    expect(runs(one)).to.have.length(2);
    granted.push(lease(next));
    expect(runs(one)).to.deep.equal([[next, 1]]);
    expect(homeOf(other)).to.equal(home);
    await other.share();
    expect(homeOf(other)).to.equal(next);
    expect(other.report().drains.map(({ node }) => node)).to.deep.equal([home]);
  });

  it("drain_withNowhereToGo_stopsWhenItsTimeIsOver", async () => {
    const one = desk();
    for (const node of [1, 2, 3]) await one.drain(await signed(node, true));
    const home = runs(one)[0]?.[0];
    expect(runs(one)).to.have.length(1);
    now += 101;
    expect(runs(one)).to.deep.equal([]);
    await one.drain(await signed(home as number, false));
    expect(runs(one)).to.deep.equal([[home, 1]]);
  });

  it("drain_olderUnsignedOrOfAnotherTime_isRefused", async () => {
    const one = desk();
    const first = await signed(1, true);
    await one.drain(first);
    await desk().drain(first); // Told to each replica, which share it.
    expect(await refusal(one.drain(await signed(1, false)))).to.equal("drain/superseded");
    now += 1;
    await one.drain(await signed(1, false));
    expect(await refusal(one.drain(first))).to.equal("drain/superseded");
    expect(await refusal(one.drain(await signed(1, true, now - 301)))).to.equal("drain/not-of-now");
    const stranger = privateKeyToAccount(word(0x0e01));
    expect(await refusal(one.drain(await signed(1, true, now + 1, stranger)))).to.equal(
      "drain/signature-invalid",
    );
    const turned = { ...(await signed(1, false, now + 1)), draining: true };
    expect(await refusal(one.drain(turned))).to.equal("drain/signature-invalid");
    expect(await refusal(one.drain(await signed(9, true)))).to.equal("node/unknown");
    expect(one.report().drains).to.deep.equal([]);
  });

  it("silentNode_isReplaced_andReturnsOnceSteady", async () => {
    const one = desk();
    const home = homeOf(one);
    const hearAll = async (...but: number[]) => {
      for (const node of [1, 2, 3]) if (!but.includes(node)) one.hear(node);
      await one.share();
    };
    await hearAll();
    for (; now <= T + 60; now += 20) await hearAll(home);
    expect(homeOf(one)).not.to.equal(home);
    expect(one.report().silent).to.deep.equal([home]);
    await hearAll(); // It is back, and proves itself first.
    const back = now;
    expect(homeOf(one)).not.to.equal(home);
    for (; now <= back + 60; now += 20) await hearAll();
    await hearAll();
    expect(homeOf(one)).to.equal(home);
  });

  describe("a node that takes on nothing new", () => {
    const nodeKey = privateKeyToAccount(word(0x0e07));
    const key = nodeKey.address.toLowerCase() as Address;
    const report = (apps: Address[]): NodeReport => ({
      capacity: { cpus: 8, memoryMb: 16_000, diskMb: 1_000, diskFreeMb: 100, maxGuests: 1 },
      ...{ guests: 1, apps, tees: [], gpus: [], trouble: [] },
    });
    /** The home of slot 0 has another key; with it it says what it has taken on. */
    const scene = async (one: PlacementDesk) => {
      const home = homeOf(one);
      const node = history.state.nodes.get(home)!;
      history.state.nodes.set(home, { ...node, key });
      const reports = new NodeReports({
        ...{ chainId: CHAIN_ID, nodeRegistry: REGISTRY, nodes: store().nodes },
        now: () => now,
      });
      const say = async (apps: Address[]) => {
        const unsigned = { report: JSON.stringify(report(apps)), at: now };
        const signature = await nodeKey.signTypedData(nodeReportTypedData(CHAIN_ID, REGISTRY, unsigned));
        await reports.take(key, { ...unsigned, signature });
        await one.share();
      };
      return { home, say };
    };

    it("isPassedOver_untilItHasNotSaidSoForFiveMinutes_andPublishesItsWord", async () => {
      const one = desk(10_000);
      const { home, say } = await scene(one);
      await say([account(0xa991)]);
      expect(homeOf(one)).not.to.equal(home);
      const { closed } = one.report();
      expect(closed.map(({ node, reason, since }) => [node, reason, since])).to.deep.equal([
        [home, "full", T],
      ]);
      expect(JSON.parse(closed[0]!.report.report)).to.deep.include({ apps: [account(0xa991)] });
      expect(one.counts()).to.include({ closed: 1 });
      for (const seconds of [60, 60, 179]) {
        now += seconds;
        await say([]); // It has room again: but the one word stands for its time, or slots would come and go.
        expect(homeOf(one)).not.to.equal(home);
      }
      now += 1;
      await one.share();
      expect(homeOf(one)).to.equal(home);
      expect(one.report().closed).to.deep.equal([]);
    });

    it("keepsWhatItHas_whileItSaysSo", async () => {
      const one = desk(10_000);
      const { home, say } = await scene(one);
      await say([APP]);
      expect(one.report().closed).to.have.length(1);
      expect(homeOf(one)).to.equal(home);
    });

    it("opensAgain_andTakesItsSlotBack_onceItIsLeasedThere", async () => {
      const one = desk(10_000);
      const { home, say } = await scene(one);
      await say([account(0xa991)]);
      const spare = homeOf(one);
      granted.push(lease(spare));
      now += 300;
      await one.share();
      expect(homeOf(one)).to.equal(home);
      expect(runs(one).map(([node]) => node)).to.have.members([home, spare]);
      granted.push(lease(home));
      expect(runs(one).map(([node]) => node)).to.deep.equal([home]);
      granted.pop();
      now += 100; // The time for handing over is past.
      await one.share();
      expect(runs(one).map(([node]) => node)).to.deep.equal([home]);
    });

    it("isAnotherNodes_whereTheKeyIsNotItsOwn", async () => {
      const one = desk(10_000);
      const { home, say } = await scene(one);
      await say([account(0xa991)]);
      history.state.nodes.set(home, { ...history.state.nodes.get(home)!, key: account(0xf1) });
      now += 1;
      expect(one.report().closed).to.deep.equal([]);
      expect(homeOf(one)).to.equal(home);
    });
  });

  it("newRelease_namesThePredecessor_untilTheSlotHasALease", () => {
    history.propose(2, T - 10, T - 70, { graceSeconds: 100, predecessorEndsAt: T + 90 });
    const one = desk();
    const home = homeOf(one);
    expect(one.ofNode(home)).to.deep.equal([
      {
        app: APP,
        release: 2,
        composeHash: word(0x1002),
        slot: 0,
        predecessor: { release: 1, composeHash: word(0x1001), until: T + 90 },
      },
    ]);
    granted.push(lease(home, 1));
    expect(one.ofNode(home)[0]).to.have.property("predecessor");
    granted.push(lease(home, 2));
    expect(one.ofNode(home)[0]).not.to.have.property("predecessor");
  });

  it("revokedHead_goesBackToThePredecessorInGrace", () => {
    history.propose(2, T - 10, T - 70, { graceSeconds: 100, predecessorEndsAt: T + 90 });
    const one = desk();
    granted.push(lease(homeOf(one), 2));
    expect(runs(one)).to.deep.equal([[homeOf(one), 2]]);
    history.app(
      "ReleaseRevoked",
      {
        number: 2,
        oldEndsAt: 2 ** 40 - 1,
        endsAt: T,
        restored: 1,
        restoredEndsAt: 2 ** 40 - 1,
        actor: OWNER,
      },
      T,
    );
    newestTime = T + 1;
    expect(runs(one)).to.deep.equal([[homeOf(one), 1]]);
  });
});
