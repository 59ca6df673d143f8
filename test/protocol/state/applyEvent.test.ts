import { expect } from "chai";
import { encodeAbiParameters, encodeEventTopics } from "viem";
import type { AbiEvent } from "viem";

import { appAbi } from "../../../protocol/abi/app.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { effectiveGuardian, effectiveSetting } from "../../../protocol/policy/settings.ts";
import { applyEvent } from "../../../protocol/state/applyEvent.ts";
import { cloneChainState, instanceKey } from "../../../protocol/state/chainState.ts";
import { packFacts } from "../../../protocol/state/instanceWord.ts";
import { committeeAt } from "../../../protocol/state/committeeAt.ts";
import { decodeLog, EVENT_SELECTORS } from "../../../protocol/state/decodeLog.ts";
import type { RawLog } from "../../../protocol/state/decodeLog.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import type { AppState } from "../../../protocol/state/types.ts";
import type { Hex } from "../../../protocol/words/hex.ts";
import { APP, GUARDIAN, History, OWNER, account, word } from "./builders.ts";

const appOf = (history: History): AppState => {
  const app = history.state.apps.get(APP);
  if (!app) throw new Error("no app");
  return app;
};
const intervals = (history: History) =>
  appOf(history).releases.map(({ activatesAt, endsAt }) => [activatesAt, endsAt]);

describe("applyEvent", () => {
  it("takes the complete initial state from AppInitialized, release 1 active at once", () => {
    const app = appOf(new History().create(1_000));
    expect(app).to.include({ owner: OWNER, guardian: GUARDIAN, level: 0, replicas: 0, pendingOwner: null });
    expect(app.releases).to.deep.equal([
      {
        number: 1,
        composeHash: word(0x1001),
        noteDigest: word(0x2001),
        activatesAt: 1_000,
        endsAt: NEVER,
        graceSeconds: 0,
        predecessor: 0,
        follows: 0,
        rebuilds: null,
        lapsed: false,
        proposedBy: OWNER,
        vetoed: false,
        revoked: false,
      },
    ]);
    expect(effectiveSetting(app, SettingKind.Notice, word(0), 1_000)).to.equal(60n);
    expect(effectiveSetting(app, SettingKind.OsImage, word(6), 1_000)).to.equal(7n);
  });

  it("creates an app without a release when the compose hash is zero", () => {
    const history = new History().create(1_000, { composeHash: word(0) });
    expect(intervals(history)).to.deep.equal([]);
    history.propose(1, 1_100, 1_040, { predecessor: 0, predecessorEndsAt: 0 });
    expect(intervals(history)).to.deep.equal([[1_100, NEVER]]);
  });

  it("ends the predecessor and what was cut when a release is proposed", () => {
    const history = new History()
      .create(1_000)
      .propose(2, 1_100, 1_040)
      .propose(3, 1_200, 1_120, { cutRelease: 1 });
    expect(intervals(history)).to.deep.equal([
      [1_000, 1_120],
      [1_100, 1_230],
      [1_200, NEVER],
    ]);
  });

  it("lifts the predecessor's end when the pending release is vetoed", () => {
    const history = new History()
      .create(1_000)
      .propose(2, 1_100, 1_040)
      .app("ReleaseVetoed", { number: 2, predecessor: 1, predecessorEndsAt: NEVER, actor: GUARDIAN }, 1_050);
    expect(intervals(history)).to.deep.equal([
      [1_000, NEVER],
      [1_100, 1_050],
    ]);
    expect(appOf(history).releases[1]).to.include({ vetoed: true, revoked: false });
  });

  it("ends a revoked release in its block and restores its predecessor as the event says", () => {
    const history = new History()
      .create(1_000)
      .propose(2, 1_100, 1_040)
      .app(
        "ReleaseRevoked",
        { number: 2, oldEndsAt: NEVER, endsAt: 1_110, restored: 1, restoredEndsAt: NEVER, actor: OWNER },
        1_110,
      );
    expect(intervals(history)).to.deep.equal([
      [1_000, NEVER],
      [1_100, 1_110],
    ]);
    expect(appOf(history).releases[1]?.revoked).to.equal(true);
  });

  it("lets a loosening wait, a tightening act and delete it, and a cancellation remove it", () => {
    const change = (oldValue: bigint, newValue: bigint, effectiveAt: number) => ({
      kind: SettingKind.AnyNode,
      key: word(0),
      oldValue,
      newValue,
      effectiveAt,
      actor: OWNER,
    });
    const history = new History().create(1_000, { settings: [] });
    const valueAt = (time: number) => effectiveSetting(appOf(history), SettingKind.AnyNode, word(0), time);
    history.app("SettingChanged", change(0n, 1n, 1_060), 1_000);
    expect([valueAt(1_059), valueAt(1_060)]).to.deep.equal([0n, 1n]);
    history.app("SettingChanged", change(0n, 0n, 1_050), 1_050);
    expect(valueAt(2_000), "a tightening deletes the waiting loosening").to.equal(0n);
    history.app("SettingChanged", change(0n, 1n, 1_160), 1_100);
    history.app(
      "LooseningCancelled",
      { kind: SettingKind.AnyNode, key: word(0), value: 1n, effectiveAt: 1_160, actor: GUARDIAN },
      1_110,
    );
    expect(valueAt(2_000)).to.equal(0n);
    history
      .app("SettingChanged", change(0n, 1n, 1_260), 1_200)
      .app("SettingChanged", change(1n, 0n, 1_300), 1_300);
    expect([valueAt(1_299), valueAt(1_300)], "settled, then tightened").to.deep.equal([0n, 0n]);
  });

  it("replaces a guardian after the notice, adds one at once, and forgets a cancelled change", () => {
    const other = account(0xa3);
    const history = new History().create(1_000);
    const guardianAt = (time: number) => effectiveGuardian(appOf(history), time);
    history.app(
      "GuardianChanged",
      { oldGuardian: GUARDIAN, newGuardian: other, effectiveAt: 1_060, actor: OWNER },
      1_000,
    );
    expect([guardianAt(1_059), guardianAt(1_060)]).to.deep.equal([GUARDIAN, other]);
    history.app("GuardianChangeCancelled", { guardian: GUARDIAN, cancelled: other, actor: OWNER }, 1_010);
    expect(guardianAt(9_999)).to.equal(GUARDIAN);
    const none = account(0);
    history.app(
      "GuardianChanged",
      { oldGuardian: GUARDIAN, newGuardian: none, effectiveAt: 1_100, actor: OWNER },
      1_040,
    );
    history.app(
      "GuardianChanged",
      { oldGuardian: none, newGuardian: other, effectiveAt: 1_200, actor: OWNER },
      1_200,
    );
    expect(guardianAt(1_200)).to.equal(other);
    expect(appOf(history).pendingGuardian).to.equal(null);
  });

  it("moves ownership in two steps, and takes a started transfer back", () => {
    const other = account(0xa4);
    const start = (newOwner: string) => ({ oldOwner: OWNER, newOwner, actor: OWNER });
    const history = new History().create(1_000).app("OwnershipTransferStarted", start(other), 1_001);
    expect(appOf(history)).to.include({ owner: OWNER, pendingOwner: other });
    history.app("OwnershipTransferStarted", start(account(0)), 1_002);
    expect(appOf(history).pendingOwner).to.equal(null);
    history.app("OwnershipTransferred", { oldOwner: OWNER, newOwner: other, actor: other }, 1_003);
    expect(appOf(history)).to.include({ owner: other, pendingOwner: null });
  });

  it("raises the level with its floor, and takes replicas with their selector and seed", () => {
    const history = new History().create(1_000).node(1, 1_000);
    const seed = appOf(history).placementSeed;
    history
      .app("LevelRaised", { oldLevel: 0, newLevel: 1, noticeFloorSeconds: 60, actor: OWNER }, 1_001)
      .replicas(3, 1_002, { operators: [account(0xe01)] });
    expect(appOf(history)).to.include({ level: 1, noticeFloorSeconds: 60, replicas: 3, placementNodes: 1 });
    expect(appOf(history).selector.operators).to.deep.equal([account(0xe01)]);
    expect(appOf(history).placementSeed).not.to.equal(seed);
  });

  it("enters, renews and retires nodes, enters instances, and replaces the committee", () => {
    const history = new History().create(1_000).node(1, 1_000);
    history.add(
      "nodeRegistry",
      account(0xc2),
      "NodeRenewed",
      {
        number: 1,
        oldStatus: 1,
        newStatus: 2,
        evidenceDigest: word(1),
        evidenceBlock: 9n,
        attestedAt: 1_100,
        oldExpiresAt: 101_000,
        expiresAt: 102_000,
        actor: OWNER,
      },
      1_100,
    );
    expect(history.state.nodes.get(1)).to.include({
      status: 2,
      evidenceBlock: 9n,
      expiresAt: 102_000,
      retired: false,
    });
    history.add("nodeRegistry", account(0xc2), "NodeRetired", { number: 1 }, 1_200);
    expect(history.state.nodes.get(1)?.retired).to.equal(true);
    const key = account(0xbeef);
    history.image(3, 1_250).add(
      "attestationLedger",
      account(0xc3),
      "InstanceProven",
      {
        app: APP,
        key,
        node: 1,
        release: 1,
        image: 3,
        kind: 1,
        status: 1,
        system: 2,
        proofSystems: 4,
        evidenceBlock: 5n,
        expiresAt: 7,
      },
      1_300,
    );
    expect(history.state.instances.get(instanceKey(APP, key))).to.include({
      node: 1,
      release: 1,
      proofSystems: 4,
      measurementDigest: word(7),
    });
    const claimed = {
      release: 2,
      node: 1,
      image: 3,
      kind: 1,
      status: 1,
      simulated: true,
      gpu: false,
    } as const;
    const leaf = packFacts({ ...claimed, combines: false, evidenceBlock: 6n, expiresAt: 8 });
    history.add(
      "attestationLedger",
      account(0xc3),
      "InstanceClaimed",
      { app: APP, key, entry: leaf, evidenceDigest: word(9), actor: OWNER },
      1_350,
    );
    const { image: _image, ...rest } = claimed;
    expect(history.state.instances.get(instanceKey(APP, key))).to.deep.include({
      ...rest,
      evidenceBlock: 6n,
      expiresAt: 8,
      record: 0,
      proofSystems: 0,
    });
    history.add(
      "nodeRegistry",
      account(0xc2),
      "NodeInvalidated",
      { number: 1, record: 4, status: 7, actor: OWNER },
      1_360,
    );
    expect(history.state.nodes.get(1)?.invalidated).to.equal(true);
    history.add(
      "committeeVerifier",
      account(0xc4),
      "CommitteeChanged",
      {
        oldMembers: [],
        oldThreshold: 0,
        newMembers: [account(1), account(2)],
        newThreshold: 2,
        effectiveAt: 1_400,
        expiresAt: 9_000,
        ledger: account(0),
        app: account(0),
        actor: OWNER,
      },
      1_400,
    );
    expect(committeeAt(history.state, 1_400)).to.deep.equal({
      members: [account(1), account(2)],
      threshold: 2,
      effectiveAt: 1_400,
      expiresAt: 9_000,
      ledger: account(0),
      app: account(0),
    });
  });

  it("changes the committee when its time comes, unless it is cancelled before", () => {
    const history = new History().create(1_000);
    const change = (member: number, at: number, effectiveAt: number) =>
      history.add(
        "committeeVerifier",
        account(0xc4),
        "CommitteeChanged",
        {
          oldMembers: [],
          oldThreshold: 0,
          newMembers: [account(member)],
          newThreshold: 1,
          effectiveAt,
          expiresAt: 9_000,
          ledger: account(0),
          app: account(0),
          actor: OWNER,
        },
        at,
      );
    const memberAt = (time: number) => committeeAt(history.state, time).members;
    change(1, 1_100, 1_100);
    change(2, 1_200, 1_300);
    expect([memberAt(1_299), memberAt(1_300)]).to.deep.equal([[account(1)], [account(2)]]);
    change(3, 1_400, 1_500);
    expect([memberAt(1_499), memberAt(1_500)]).to.deep.equal([[account(2)], [account(3)]]);
    const cancelled = { members: [account(3)], threshold: 1, effectiveAt: 1_500, actor: OWNER };
    history.add("committeeVerifier", account(0xc4), "CommitteeCancelled", cancelled, 1_450);
    expect(memberAt(1_500)).to.deep.equal([account(2)]);
  });

  it("knows the signers that a dispute marked, and their operators", () => {
    const history = new History().create(1_000);
    const before = cloneChainState(history.state);
    const marked = { signer: account(7), seat: account(8), actor: account(9) };
    history.add("committeeVerifier", account(0xc4), "SignerMarked", marked, 1_100);
    expect([...history.state.marked]).to.deep.equal([account(7), account(8)]);
    expect([...before.marked]).to.deep.equal([]);
  });

  it("refuses events that cannot follow what came before", () => {
    const history = new History().create(1_000);
    const code = (work: () => unknown) => expect(work).to.throw().with.property("code");
    code(() => history.create(1_001)).to.equal("state/out-of-order");
    code(() => history.propose(3, 1_100, 1_050)).to.equal("state/out-of-order");
    code(() => history.app("ReleaseVetoed", { number: 9 }, 1_050)).to.equal("state/unknown-release");
    code(() => history.app("Surprise", {}, 1_050)).to.equal("state/unknown-event");
    code(() => history.add("nodeRegistry", APP, "NodeRetired", { number: 4 }, 1_050)).to.equal(
      "state/unknown-node",
    );
    code(() => history.app("ReleaseVetoed", { number: 1 }, 1_050, account(5))).to.equal("state/unknown-app");
    code(() => history.add("appRegistry", APP, "Surprise", {}, 1_050)).to.equal("state/unknown-event");
  });

  it("clones a state that shares nothing with the original", () => {
    const history = new History().create(1_000).node(1, 1_000).propose(2, 1_100, 1_040);
    history.app(
      "SettingChanged",
      {
        kind: SettingKind.AnyNode,
        key: word(0),
        oldValue: 1n,
        newValue: 1n,
        effectiveAt: 1_200,
        actor: OWNER,
      },
      1_050,
    );
    const copy = cloneChainState(history.state);
    const again = cloneChainState(history.state);
    expect(copy).to.deep.equal(history.state);
    history
      .app("ReleaseVetoed", { number: 2, predecessor: 1, predecessorEndsAt: NEVER, actor: OWNER }, 1_060)
      .app(
        "LooseningCancelled",
        { kind: SettingKind.AnyNode, key: word(0), value: 1n, effectiveAt: 1_200, actor: OWNER },
        1_070,
      )
      .add("nodeRegistry", account(0xc2), "NodeRetired", { number: 1 }, 1_080);
    expect(copy).to.deep.equal(again);
    expect(copy).not.to.deep.equal(history.state);
  });
});

describe("decodeLog", () => {
  const event = appAbi.find(
    (item) => item.type === "event" && item.name === "OwnershipTransferred",
  ) as AbiEvent;
  const upper = "0xAbCdEf0123456789aBcDeF0123456789AbCdEf01";
  const log = (change: Partial<RawLog> = {}): RawLog => ({
    address: APP,
    topics: encodeEventTopics({
      abi: [event],
      args: { oldOwner: OWNER, newOwner: upper.toLowerCase() },
    } as never) as Hex[],
    data: encodeAbiParameters([{ type: "address" }], [OWNER]),
    blockNumber: 5n,
    blockHash: word(5),
    blockTimestamp: 1_000,
    transactionHash: word(6),
    logIndex: 2,
    ...change,
  });

  it("gives lower-case arguments and where they were said", () => {
    expect(decodeLog("app", log())).to.deep.equal({
      contract: "app",
      address: APP,
      name: "OwnershipTransferred",
      args: { oldOwner: OWNER, newOwner: upper.toLowerCase(), actor: OWNER },
      blockNumber: 5n,
      blockHash: word(5),
      blockTimestamp: 1_000,
      transactionHash: word(6),
      logIndex: 2,
    });
  });

  it("knows which contract has which event", () => {
    expect(decodeLog("nodeRegistry", log())).to.equal(null);
    expect(decodeLog("app", log({ topics: [] }))).to.equal(null);
    expect(EVENT_SELECTORS).to.include(log().topics[0]);
    expect(new Set(EVENT_SELECTORS).size).to.equal(EVENT_SELECTORS.length);
  });

  it("refuses a log that names an event but does not hold it", () => {
    for (const broken of [log({ data: "0x" }), log({ topics: log().topics.slice(0, 2) })]) {
      expect(() => decodeLog("app", broken))
        .to.throw()
        .with.property("code", "state/undecodable");
    }
  });

  it("gives what applyEvent takes", () => {
    const history = new History().create(1_000);
    const decoded = decodeLog("app", log());
    if (!decoded) throw new Error("not decoded");
    applyEvent(history.state, decoded);
    expect(appOf(history).owner).to.equal(upper.toLowerCase());
  });
});
