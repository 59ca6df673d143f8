import { expect } from "chai";

import type { Address } from "../../../protocol/words/hex.ts";
import { ReplicaWork } from "../../../relayer/replicas/ReplicaWork.ts";
import { ALL_WORK, chosenFor, KEEPER, shardOf } from "../../../relayer/replicas/shards.ts";
import { freshStore } from "../support/freshStore.ts";
import { until } from "../support/until.ts";

describe("work that replicas share", function () {
  this.timeout(30_000);
  const { store } = freshStore();
  const leaseMs = 400;
  const replica = (name: string, now?: () => number) =>
    new ReplicaWork({ store: store().work, replica: name, leaseMs, ...(now && { now }) });
  /** Every piece of work and how many of these hold it. */
  const holders = (all: readonly ReplicaWork[]): number[] =>
    ALL_WORK.map((name) => all.filter((each) => each.lease(name) !== undefined).length);

  it("is dealt out to all that live, each piece to one", async () => {
    const all = ["a", "b", "c"].map((name) => replica(name, () => 0));
    for (const each of [...all, ...all, ...all]) await each.tick();
    expect(holders(all)).to.deep.equal(ALL_WORK.map(() => 1));
    for (const each of all) expect(each.held().length).to.be.greaterThan(0);
  });

  it("moves only from and to the replica that comes or goes", () => {
    const before = ALL_WORK.map((name) => chosenFor(name, ["a", "b", "c"]));
    const after = ALL_WORK.map((name) => chosenFor(name, ["a", "c"]));
    before.forEach((who, index) => who === "b" || expect(after[index]).to.equal(who));
  });

  it("is taken over under a higher fence when one dies", async () => {
    const [dead, heir] = [replica("dead"), replica("heir")];
    await dead.tick();
    const lease = dead.lease(KEEPER);
    if (lease === undefined) throw new Error("it holds nothing");
    await until("all is taken over", async () => {
      await heir.tick();
      return heir.held().length === ALL_WORK.length;
    });
    expect(dead.held()).to.deep.equal([]);
    expect(Number(heir.lease(KEEPER)?.fence)).to.equal(Number(lease.fence) + 1);
    expect(dead.shards()).to.deep.equal([]);
    expect(heir.shards().map(({ name }) => name)).to.have.members(ALL_WORK.filter((name) => name !== KEEPER));
  });

  it("is never held by two, however they come, go and lose touch", async () => {
    const ended = new AbortController();
    const all = ["a", "b"].map((name) => replica(name));
    const running = all.map((each) => each.run(ended.signal));
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) {
      const leaving = new AbortController();
      const third = replica(`c${round}`);
      const visit = third.run(leaving.signal);
      for (let i = 0; i < 20; i++) {
        seen.push(...holders([...all, third]));
        await new Promise((done) => setTimeout(done, 5));
      }
      leaving.abort();
      await visit;
    }
    ended.abort();
    await Promise.all(running);
    expect(Math.max(...seen)).to.equal(1);
    expect(seen.includes(1)).to.equal(true);
  });

  it("runs where it is held, and is stopped where it is not any more", async () => {
    const ended = new AbortController();
    const one = replica("one");
    const beating = one.run(ended.signal);
    const lived: string[] = [];
    const stopping = new AbortController();
    const working = one.whileHeld(
      KEEPER,
      (signal) => {
        lived.push("began");
        return new Promise((done) =>
          signal.addEventListener("abort", () => {
            lived.push("ended");
            done();
          }),
        );
      },
      stopping.signal,
    );
    await until("it works", async () => lived.includes("began"));
    ended.abort(); // No more beats: as when the database is cut off.
    await beating;
    await until("it stops", async () => lived.includes("ended"));
    stopping.abort();
    await working;
    expect(lived).to.deep.equal(["began", "ended"]);
  });

  it("of one app belongs to one shard", () => {
    const ending = (end: string) => `0x${"00".repeat(19)}${end}` as Address;
    expect(shardOf(ending("21"))).to.equal("apps/1");
    expect(ALL_WORK).to.include(shardOf(ending("ff")));
  });
});
