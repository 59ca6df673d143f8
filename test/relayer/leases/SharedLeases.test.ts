import { expect } from "chai";

import { parseAddress, parseComposeHash } from "../../../protocol/words/hex.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { GrantedLease } from "../../../relayer/leases/LeaseDesk.ts";
import { SharedLeases } from "../../../relayer/leases/SharedLeases.ts";
import type { LeaseStore } from "../../../relayer/store/leaseStore.ts";
import { freshStore } from "../support/freshStore.ts";

const app = parseAddress(`0x${"0a".repeat(20)}`);
const other = parseAddress(`0x${"0b".repeat(20)}`);
const composeHash = parseComposeHash(`0x${"0c".repeat(32)}`);
const key = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);
const leaseOf = (n: number, until: number, change: Partial<GrantedLease> = {}): GrantedLease => ({
  ...{ app, key: key(n), node: 3, release: 2, composeHash, until },
  ...change,
});

describe("leases of several replicas on one database", function () {
  this.timeout(60_000);
  const { store } = freshStore();
  let clock: number;
  beforeEach(() => (clock = 1_000));

  /** A replica, and what it granted itself. */
  const replica = (name: string, leases: LeaseStore = store().leases) => {
    const own: GrantedLease[] = [];
    const shared = new SharedLeases({
      store: leases,
      replica: name,
      own: (of) => own.filter((lease) => lease.until > clock && (of === undefined || lease.app === of)),
      now: () => clock,
    });
    const grant = (lease: GrantedLease): void => {
      own.push(lease);
      shared.granted(lease);
    };
    return { shared, grant };
  };

  it("live_whatAnotherReplicaGranted_isThereOnceBothShared", async () => {
    const [one, two] = [replica("one"), replica("two")];
    one.grant(leaseOf(1, 1_060));
    one.grant(leaseOf(2, 1_060, { app: other }));
    two.grant(leaseOf(3, 1_060));
    expect(two.shared.live()).to.deep.equal([leaseOf(3, 1_060)]);
    await one.shared.share();
    await two.shared.share();
    await one.shared.share();
    const all = [leaseOf(1, 1_060), leaseOf(2, 1_060, { app: other }), leaseOf(3, 1_060)];
    expect(one.shared.live()).to.have.deep.members(all);
    expect(two.shared.live()).to.have.deep.members(all);
    expect(two.shared.live(app)).to.have.deep.members([leaseOf(1, 1_060), leaseOf(3, 1_060)]);
  });

  it("live_keyThatTwoReplicasLeased_isThereOnceWithTheLaterEnd", async () => {
    const [one, two] = [replica("one"), replica("two")];
    one.grant(leaseOf(1, 1_060, { release: 1 }));
    two.grant(leaseOf(1, 1_090, { release: 2 }));
    await two.shared.share();
    await one.shared.share(); // Tells an earlier end than the one that is kept: it changes nothing.
    await two.shared.share();
    expect(one.shared.live()).to.deep.equal([leaseOf(1, 1_090)]);
    expect(two.shared.live()).to.deep.equal([leaseOf(1, 1_090)]);
    expect((await store().leases.told("three", null, clock)).leases).to.deep.equal([leaseOf(1, 1_090)]);
  });

  it("live_whatIsOver_isNoMoreWhateverItsReplicaSays", async () => {
    const [one, two] = [replica("one"), replica("two")];
    one.grant(leaseOf(1, 1_060));
    await one.shared.share();
    await two.shared.share();
    expect(two.shared.live()).to.have.length(1);
    clock = 1_060;
    expect(two.shared.live()).to.deep.equal([]);
    await replica("three").shared.share(); // The first time that a replica shares, it clears what is over.
    expect((await store().pool.query("SELECT FROM granted_leases")).rowCount).to.equal(0);
  });

  it("share_replicaThatComesLater_learnsWhatRunsAlready", async () => {
    const one = replica("one");
    one.grant(leaseOf(1, 1_060));
    one.grant(leaseOf(2, 1_010));
    await one.shared.share();
    clock = 1_010;
    const two = replica("two");
    await two.shared.share();
    expect(two.shared.live()).to.deep.equal([leaseOf(1, 1_060)]);
  });

  it("share_storeAway_tellsOnceItIsBack", async () => {
    let isAway = true;
    const { leases } = store();
    const flaky = {
      tell: (...of: Parameters<LeaseStore["tell"]>) =>
        isAway ? Promise.reject(new Error("away")) : leases.tell(...of),
      told: (...of: Parameters<LeaseStore["told"]>) => leases.told(...of),
      forget: (now: number) => leases.forget(now),
    } as LeaseStore;
    const [one, two] = [replica("one", flaky), replica("two")];
    one.grant(leaseOf(1, 1_060));
    one.grant(leaseOf(2, 1_060));
    expect(await one.shared.share().catch((error: Error) => error.message)).to.equal("away");
    one.grant(leaseOf(2, 1_090));
    isAway = false;
    await one.shared.share();
    await two.shared.share();
    expect(two.shared.live()).to.have.deep.members([leaseOf(1, 1_060), leaseOf(2, 1_090)]);
  });
});
