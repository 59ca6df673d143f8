import { expect } from "chai";
import fc from "fast-check";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { NEVER, type BlockRef } from "../../../protocol/state/types.ts";
import { MAX_SLOTS_PER_NODE } from "../../../protocol/placement/assignSlots.ts";
import type { PlacementInputs } from "../../../protocol/placement/assignSlots.ts";
import type { ClosedNode } from "../../../protocol/placement/closedNode.ts";
import { explainPlacement } from "../../../protocol/placement/explainPlacement.ts";
import { placements } from "../../../protocol/placement/placements.ts";
import { APP, account, History, OWNER, word } from "../state/builders.ts";

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
const inputs = (
  drained: number[] = [],
  silent: number[] = [],
  closed: Readonly<Record<number, ClosedNode>> = {},
): PlacementInputs => ({
  drained: new Set(drained),
  silent: new Set(silent),
  closed: new Map(Object.entries(closed).map(([number, one]) => [Number(number), one])),
});
/** A node that has taken on so many slots of the app, and takes no more. */
const closed = (slots: number, reason = "full"): ClosedNode => ({ reason, keeps: new Map([[APP, slots]]) });
const slotsOf = (history: History, time = 1_100, beside = inputs()) =>
  new Map(placements(history.state, block(time), beside).map(({ slot, node }) => [slot, node]));
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

  describe("spread across operators", () => {
    /** Nodes 1 to n, each of the operator that `operators` names for it. */
    const owned = (operators: readonly number[], replicas: number) => {
      const history = new History().create(1_000);
      operators.forEach((operator, i) => history.node(i + 1, 1_000, { operator: account(operator) }));
      return history.replicas(replicas, 1_001);
    };
    const operatorsOf = (history: History, beside = inputs()) =>
      placements(history.state, block(1_100), beside).map(
        ({ node }) => history.state.nodes.get(node)?.operator,
      );

    it("slots_fewerThanOperators_haveAnOperatorEach", () => {
      for (let i = 0; i < 10; i++) {
        const history = owned([1, 1, 1, 1, 1, 2, 3], 3).replicas(3, 1_002 + i);
        expect(new Set(operatorsOf(history)).size).to.equal(3);
      }
    });

    it("slotOfALostNode_goesToTheLeastLoadedOperator", () => {
      // Operator 2 has lost one of its two, and holds none then: its other node is the first to be asked.
      const history = owned([1, 1, 1, 2, 2], 2);
      const mine = placements(history.state, block(1_100)).find(({ node }) => node > 3)?.node ?? 0;
      expect(operatorsOf(history, inputs([mine]))).to.have.members([account(1), account(2)]);
    });

    it(`whoJoins_takesNoSlotThatHasItsNodeToItself (SEED=${seed})`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 10 }),
          fc.integer({ min: 1, max: 20 }),
          fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 4 }),
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
          (operators, replicas, leaving, joining) => {
            const history = owned(operators, replicas);
            for (const number of new Set(leaving)) if (number <= operators.length) retire(history, number);
            const before = slotsOf(history);
            const firsts = new Map<number, number>();
            for (const one of explainPlacement(history.state, block(1_100), history.state.apps.get(APP)!)
              .placements) {
              if (one.why !== "shared") firsts.set(one.slot, one.node);
            }
            expect(new Set(firsts.values()).size).to.equal(new Set(before.values()).size);
            joining.forEach((operator, i) =>
              history.node(operators.length + 1 + i, 1_060, { operator: account(operator) }),
            );
            const after = slotsOf(history);
            for (const [slot, node] of firsts) expect(after.get(slot)).to.equal(node);
            expect(after.size).to.be.at.least(before.size);
          },
        ),
        { seed, numRuns: 200 },
      );
    });

    it(`sameStateAndInputs_inAnyOrder_giveTheSame (SEED=${seed})`, () => {
      fc.assert(
        fc.property(
          fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 8 }),
          fc.integer({ min: 1, max: 12 }),
          (order, replicas) => {
            const history = owned([1, 2, 2, 3, 1, 1, 2, 3], replicas);
            const expected = [...slotsOf(history)];
            const nodes = [...history.state.nodes];
            history.state.nodes.clear();
            for (const i of order) history.state.nodes.set(...nodes[i - 1]!);
            expect([...slotsOf(history)]).to.deep.equal(expected);
          },
        ),
        { seed, numRuns: 50 },
      );
    });
  });

  describe("drained and silent nodes", () => {
    it("drainedNode_giveItsSlotsAway_andNoOther", () => {
      const history = scene(5, 3);
      const before = slotsOf(history);
      const [slot, node] = [...before][1]!;
      const after = slotsOf(history, 1_100, inputs([node]));
      expect(after.get(slot)).not.to.equal(node);
      for (const [other, place] of before) if (other !== slot) expect(after.get(other)).to.equal(place);
      expect(slotsOf(history, 1_100, inputs())).to.deep.equal(before);
    });

    it("allDrained_nothingIsPlaced", () => {
      expect(slotsOf(scene(2, 2), 1_100, inputs([1, 2])).size).to.equal(0);
    });

    it("silentNodes_avoidedWhileThereIsAnother_elseHeededNot", () => {
      const history = scene(3, 2);
      const other = [1, 2, 3].filter((node) => node !== 1 && node !== 2);
      expect(new Set(slotsOf(history, 1_100, inputs([], [1, 2])).values())).to.deep.equal(new Set(other));
      expect(slotsOf(history, 1_100, inputs([], [1, 2, 3]))).to.deep.equal(slotsOf(history));
      expect([...slotsOf(history, 1_100, inputs([3], [1, 2])).values()]).to.have.members([1, 2]);
    });
  });

  describe("nodes that take on nothing new", () => {
    const explained = (history: History, beside: PlacementInputs) =>
      explainPlacement(history.state, block(1_100), history.state.apps.get(APP)!, beside);

    it("fullNode_isPassedOver_andTheExplanationSaysSo", () => {
      const history = scene(4, 1);
      const [home = 0] = slotsOf(history).values();
      const { placements: placed, ranking } = explained(history, inputs([], [], { [home]: closed(0) }));
      expect(placed[0]?.node).not.to.equal(home);
      expect(placed[0]).to.deep.include({ why: "spare", home: { node: home, standing: "full" } });
      expect(ranking.find(({ node }) => node === home)?.standing).to.equal("full");
      const troubled = explained(history, inputs([], [], { [home]: closed(0, "engine-silent") }));
      expect(troubled.placements[0]?.home?.standing).to.equal("in-trouble");
    });

    it("fullNode_keepsWhatItHas_ofThisAppAlone", () => {
      const history = scene(4, 1);
      const [home = 0] = slotsOf(history).values();
      expect(slotsOf(history, 1_100, inputs([], [], { [home]: closed(1) }))).to.deep.equal(slotsOf(history));
      const ofOther: ClosedNode = { reason: "full", keeps: new Map([[account(0xa991), 1]]) };
      expect([...slotsOf(history, 1_100, inputs([], [], { [home]: ofOther })).values()]).not.to.include(home);
    });

    it("allClosed_nothingNewIsPlaced_alsoNotOnASilentNode", () => {
      const history = scene(2, 2);
      const none = { 1: closed(0), 2: closed(0, "disk-nearly-full") };
      expect(slotsOf(history, 1_100, inputs([], [], none)).size).to.equal(0);
      const kept = slotsOf(history, 1_100, inputs([], [2], { 1: closed(1) }));
      expect([...kept.values()]).to.deep.equal([1]);
    });

    it("drainedNode_thatIsFull_isDrained", () => {
      const history = scene(3, 3);
      const beside = inputs([1], [], { 1: closed(1) });
      expect([...slotsOf(history, 1_100, beside).values()]).not.to.include(1);
    });

    it(`nodeThatCloses_withWhatItHas_movesNothing (SEED=${seed})`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 8 }),
          fc.integer({ min: 1, max: 20 }),
          fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
          fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 }),
          (nodes, replicas, drained, closing) => {
            const history = scene(nodes, replicas);
            const before = slotsOf(history, 1_100, inputs(drained));
            const has = (number: number) => [...before.values()].filter((node) => node === number).length;
            const beside = Object.fromEntries(closing.map((number) => [number, closed(has(number))]));
            expect(slotsOf(history, 1_100, inputs(drained, [], beside))).to.deep.equal(before);
          },
        ),
        { seed, numRuns: 200 },
      );
    });

    it(`closedNode_isGivenNoMoreThanItHas (SEED=${seed})`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 8 }),
          fc.integer({ min: 1, max: 30 }),
          fc.dictionary(fc.constantFrom("1", "2", "3", "4"), fc.integer({ min: 0, max: 6 })),
          (nodes, replicas, keeps) => {
            const beside = Object.fromEntries(
              Object.entries(keeps).map(([number, slots]) => [number, closed(slots)]),
            );
            const after = [...slotsOf(scene(nodes, replicas), 1_100, inputs([], [], beside)).values()];
            for (const [number, slots] of Object.entries(keeps)) {
              expect(after.filter((node) => node === Number(number)).length).to.be.at.most(slots);
            }
          },
        ),
        { seed, numRuns: 200 },
      );
    });
  });

  describe("taking over a new head", () => {
    /** Eight slots; release 2 activates at 1,100 and gives release 1 a grace of 80 seconds: steps of 10. */
    const upgraded = () =>
      scene(8, 8).propose(2, 1_100, 1_040, { graceSeconds: 80, predecessorEndsAt: 1_180 });
    const releases = (history: History, time: number) =>
      placements(history.state, block(time)).map(({ release }) => release);

    it("slots_switchInSteps_withinHalfOfTheGrace", () => {
      const history = upgraded();
      expect(releases(history, 1_099)).to.deep.equal([1, 1, 1, 1, 1, 1, 1, 1]);
      expect(releases(history, 1_100)).to.deep.equal([2, 2, 1, 1, 1, 1, 1, 1]);
      expect(releases(history, 1_110)).to.deep.equal([2, 2, 2, 2, 1, 1, 1, 1]);
      expect(releases(history, 1_130)).to.deep.equal([2, 2, 2, 2, 2, 2, 2, 2]);
    });

    it("switchedSlot_namesItsPredecessorWhileInGrace", () => {
      const first = (time: number) => placements(upgraded().state, block(time))[0]?.predecessor;
      expect(first(1_099)).to.equal(null);
      expect(first(1_100)).to.deep.equal({ release: 1, composeHash: word(0x1001), until: 1_180 });
      expect(first(1_180)).to.equal(null);
    });

    it("withoutGrace_allSwitchAtOnce", () => {
      const history = scene(8, 8).propose(2, 1_100, 1_040, { graceSeconds: 0, predecessorEndsAt: 1_100 });
      expect(new Set(releases(history, 1_100))).to.deep.equal(new Set([2]));
    });

    it("revokedHead_goesBackAtOnce", () => {
      const history = upgraded();
      history.app(
        "ReleaseRevoked",
        { number: 2, oldEndsAt: NEVER, endsAt: 1_140, restored: 1, restoredEndsAt: NEVER, actor: OWNER },
        1_140,
      );
      expect(new Set(releases(history, 1_141))).to.deep.equal(new Set([1]));
      expect(
        placements(history.state, block(1_141)).every(({ predecessor }) => predecessor === null),
      ).to.equal(true);
    });
  });
});
