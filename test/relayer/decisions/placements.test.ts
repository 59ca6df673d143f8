import { expect } from "chai";
import fc from "fast-check";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { BlockRef } from "../../../protocol/state/types.ts";
import { MAX_SLOTS_PER_NODE, placements } from "../../../relayer/decisions/placements.ts";
import { APP, account, History, OWNER, word } from "../../protocol/state/builders.ts";

const block = (timestamp: number): BlockRef => ({
  number: 10n,
  hash: word(10),
  parentHash: word(9),
  timestamp,
});
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

/** An app with `replicas` wanted when nodes 1 to `nodes` existed. */
const scene = (nodes: number, replicas: number, selector: Record<string, unknown> = {}) => {
  const history = new History().create(1_000);
  for (let number = 1; number <= nodes; number++) history.node(number, 1_000);
  return history.replicas(replicas, 1_001, selector);
};
const slotsOf = (history: History, time = 1_100) =>
  new Map(placements(history.state, block(time)).map(({ slot, node }) => [slot, node]));
const retire = (history: History, number: number) =>
  history.add("nodeRegistry", account(0xc2), "NodeRetired", { number }, 1_050);

describe("placements", () => {
  it("puts each slot on a node of its own, and says which release", () => {
    const placed = placements(scene(5, 3).state, block(1_100));
    expect(placed.map(({ slot }) => slot)).to.deep.equal([0, 1, 2]);
    expect(new Set(placed.map(({ node }) => node)).size).to.equal(3);
    expect(placed[0]).to.include({ app: APP, release: 1, composeHash: word(0x1001) });
  });

  it("places nothing without replicas, a head, or an eligible node", () => {
    expect(slotsOf(scene(3, 0)).size).to.equal(0);
    expect(
      slotsOf(
        new History()
          .create(1_000, { composeHash: word(0) })
          .node(1, 1_000)
          .replicas(2, 1_001),
      ).size,
    ).to.equal(0);
    expect(slotsOf(scene(0, 2)).size).to.equal(0);
  });

  it("follows the head: a successor from its activation on", () => {
    const history = scene(2, 1).propose(2, 1_100, 1_040);
    const releaseAt = (time: number) => placements(history.state, block(time))[0]?.release;
    expect([releaseAt(1_099), releaseAt(1_100)]).to.deep.equal([1, 2]);
    expect(slotsOf(history, 1_099)).to.deep.equal(slotsOf(history, 1_100));
  });

  it("uses only nodes that policy and owner accept", () => {
    const history = new History().create(1_000, {
      settings: [
        { kind: SettingKind.TeeKind, key: word(1), value: 1n },
        { kind: SettingKind.TcbStatus, key: word(1), value: 1n },
        ...[1, 2, 3, 4, 5].map((n) => ({ kind: SettingKind.Node, key: word(0xf000 + n), value: 1n })),
      ],
    });
    history.node(1, 1_000).node(2, 1_000, { kind: 3 }).node(3, 1_000, { status: 5 });
    history.node(4, 1_000, { expiresAt: 1_050 }).node(5, 1_000).node(6, 1_000);
    history.replicas(2, 1_001);
    expect([...slotsOf(history).values()].sort()).to.deep.equal([1, 5]);
    history.replicas(2, 1_001, { operators: [account(0x0e05)] });
    expect([...slotsOf(history).values()]).to.deep.equal([5, 5]);
    history.replicas(2, 1_001, { teeKinds: 1 << 3 });
    expect(slotsOf(history).size).to.equal(0);
  });

  it("places what needs a GPU only on nodes that the owner named, by platform or by operator", () => {
    const nodes = (history: History): number[] => [...slotsOf(history).values()].sort();
    const common = [
      { kind: SettingKind.TeeKind, key: word(1), value: 1n },
      { kind: SettingKind.TcbStatus, key: word(1), value: 1n },
      { kind: SettingKind.AnyNode, key: word(0), value: 1n },
    ];
    const any = new History().create(1_000, { settings: common }).node(1, 1_000).node(2, 1_000);
    expect(nodes(any.replicas(2, 1_001))).to.deep.equal([1, 2]);
    expect(nodes(any.replicas(2, 1_001, { gpu: true }))).to.deep.equal([]);
    const operators = [account(0x0e02)];
    expect(nodes(any.replicas(2, 1_001, { gpu: true, operators }))).to.deep.equal([2, 2]);
    const settings = [
      ...common,
      { kind: SettingKind.GpuRequired, key: word(0), value: 1n },
      { kind: SettingKind.Node, key: word(0xf001), value: 1n },
    ];
    const listed = new History().create(1_000, { settings }).node(1, 1_000).node(2, 1_000);
    expect(nodes(listed.replicas(1, 1_001))).to.deep.equal([1]);
  });

  it("spreads more slots than nodes evenly, up to the bound per node", () => {
    const loads = (history: History) => {
      const counted = new Map<number, number>();
      for (const node of slotsOf(history).values()) counted.set(node, (counted.get(node) ?? 0) + 1);
      return [...counted.values()].sort();
    };
    expect(loads(scene(3, 7))).to.deep.equal([2, 2, 3]);
    expect(loads(scene(2, 1_000))).to.deep.equal([MAX_SLOTS_PER_NODE, MAX_SLOTS_PER_NODE]);
  });

  it("draws anew when the owner changes replicas, and differently per app", () => {
    const draws = new Set<string>();
    const history = scene(20, 5);
    for (let i = 0; i < 5; i++) draws.add(JSON.stringify([...slotsOf(history.replicas(5, 1_002 + i))]));
    expect(draws.size).to.be.greaterThan(1);
    const other = account(0xa991);
    history.create(1_010, { address: other });
    history.app(
      "ReplicasChanged",
      { oldReplicas: 0, newReplicas: 5, selector: { teeKinds: 0, gpu: false, operators: [] }, actor: OWNER },
      1_011,
      other,
    );
    const of = (app: string) =>
      placements(history.state, block(1_100))
        .filter((each) => each.app === app)
        .map(({ node }) => node);
    expect(of(APP)).not.to.deep.equal(of(other));
  });

  it(`keeps every valid slot where it is when nodes join or leave (SEED=${seed})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
        fc.integer({ min: 0, max: 4 }),
        (nodes, wanted, leaving, joining) => {
          const replicas = Math.min(nodes, wanted);
          const history = scene(nodes, replicas);
          const before = slotsOf(history);
          const gone = new Set(leaving.filter((number) => number <= nodes));
          for (const number of gone) retire(history, number);
          for (let i = 1; i <= joining; i++) history.node(nodes + i, 1_060);
          const after = slotsOf(history);
          for (const [slot, node] of before) {
            // With fewer nodes than slots the bound per node may leave the last slots without a place.
            if (!gone.has(node) && after.size === before.size) expect(after.get(slot)).to.equal(node);
          }
          for (const node of after.values()) expect(gone.has(node)).to.equal(false);
        },
      ),
      { seed, numRuns: 200 },
    );
  });
});
