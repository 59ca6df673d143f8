import { encodeAbiParameters, keccak256 } from "viem";

import { isActive, isEligible } from "../policy/eligibility.ts";
import type { AppState, Library, NodeState } from "../state/types.ts";
import type { Address, Hex } from "../words/hex.ts";
import type { ClosedNode } from "./closedNode.ts";

/** What placement heeds beside the chain: all of it is published with every answer, so that it can be recomputed. */
export interface PlacementInputs {
  /** Numbers of the nodes that their operators drain: nothing is placed there. */
  readonly drained: ReadonlySet<number>;
  /** Numbers of the nodes whose agents are not heard: nothing is placed there as long as there is any other place. */
  readonly silent: ReadonlySet<number>;
  /** By number, the nodes that take on nothing new: they keep what they have. */
  readonly closed: ReadonlyMap<number, ClosedNode>;
}

/** Placement by the chain alone. */
export const CHAIN_ALONE: PlacementInputs = { drained: new Set(), silent: new Set(), closed: new Map() };

/** Slots of one app that one node runs at most; slots beyond what the nodes hold are not placed. */
export const MAX_SLOTS_PER_NODE = 4;

/** Why a node has, or has not, a place in an app's order. */
export type Standing =
  "eligible" | "not-active" | "not-accepted" | "drained" | "silent" | "full" | "in-trouble";

/** A node as one app sees it. */
export interface RankedNode {
  readonly node: NodeState;
  /** Null for a node that was registered after the seed: those come last, by number. */
  readonly score: Hex | null;
  readonly standing: Standing;
  /** Slots of this app that it may have at most. */
  readonly room: number;
}

/** A node's score for an app, the lowest first: unpredictable before the seed's block, the same for everybody after it. */
const scoreOf = (app: AppState, node: NodeState): Hex =>
  keccak256(
    encodeAbiParameters(
      [{ type: "bytes32" }, { type: "address" }, { type: "bytes32" }, { type: "uint32" }],
      [app.placementSeed, app.address, node.platformId, node.number],
    ),
  );

function standingOf(
  app: AppState,
  node: NodeState,
  time: number,
  library: Library,
  { drained, silent, closed }: PlacementInputs,
): Standing {
  if (!isActive(node, time)) return "not-active";
  if (!isEligible(app, node, time, library)) return "not-accepted";
  if (drained.has(node.number)) return "drained";
  if (silent.has(node.number)) return "silent";
  const shut = closed.get(node.number);
  if (shut === undefined) return "eligible";
  return shut.reason === "full" ? "full" : "in-trouble";
}

/** A closed node has room for what it has. */
function roomOf(standing: Standing, app: AppState, node: NodeState, { closed }: PlacementInputs): number {
  if (standing === "eligible") return MAX_SLOTS_PER_NODE;
  if (standing !== "full" && standing !== "in-trouble") return 0;
  return Math.min(closed.get(node.number)?.keeps.get(app.address) ?? 0, MAX_SLOTS_PER_NODE);
}

/**
 * All nodes in the order in which this app prefers them. Those that were registered at the seed come in rounds: the best
 * node of each operator, then each one's second, and so on, by score within a round. Later ones stand behind them by number,
 * so that who joins takes no place of another. Where silence has taken every place, it is not heeded.
 */
export function rankNodes(
  app: AppState,
  nodes: readonly NodeState[],
  time: number,
  library: Library,
  inputs: PlacementInputs,
): RankedNode[] {
  const byScore = nodes
    .filter((node) => node.number <= app.placementNodes)
    .map((node) => ({ node, score: scoreOf(app, node) }))
    .sort((a, b) => (a.score < b.score ? -1 : 1));
  const rounds = new Map<Address, number>();
  const known = byScore
    .map((one) => {
      const round = rounds.get(one.node.operator) ?? 0;
      rounds.set(one.node.operator, round + 1);
      return { ...one, round };
    })
    .sort((a, b) => a.round - b.round); // Stable: by score within a round.
  const later = nodes.filter((node) => node.number > app.placementNodes).sort((a, b) => a.number - b.number);
  const ranked = [...known, ...later.map((node) => ({ node, score: null }))].map(({ node, score }) => {
    const standing = standingOf(app, node, time, library, inputs);
    return { node, score, standing, room: roomOf(standing, app, node, inputs) };
  });
  if (ranked.some(({ standing }) => HEARD.has(standing))) return ranked;
  return ranked.map((one) =>
    one.standing === "silent" ? { ...one, standing: "eligible", room: MAX_SLOTS_PER_NODE } : one,
  );
}

/** Nodes that answer: as long as there is one, nothing is placed on a silent one. */
const HEARD: ReadonlySet<Standing> = new Set(["eligible", "full", "in-trouble"]);

/**
 * Node per slot of one app. Slot i belongs to the i-th node of the order at the seed, whoever else comes or goes. Slots
 * whose node may not run them go, in turn, to a node that runs none of this app: of those known at the seed that of the
 * least loaded operator, then those that joined later, the earliest first. What remains shares a node, again with the
 * least loaded operator first. So whoever joins moves no slot that has its node to itself.
 */
export function assignSlots(app: AppState, ranked: readonly RankedNode[]): Map<number, number> {
  const open = ranked.filter(({ room }) => room > 0);
  const isOpen = new Set(open.map(({ node }) => node.number));
  const rooms = open.reduce((sum, { room }) => sum + room, 0);
  const nodeLoad = new Map<number, number>();
  const operatorLoad = new Map<Address, number>();
  const slots = new Map<number, number>();
  const put = (slot: number, { number, operator }: NodeState): void => {
    slots.set(slot, number);
    nodeLoad.set(number, (nodeLoad.get(number) ?? 0) + 1);
    operatorLoad.set(operator, (operatorLoad.get(operator) ?? 0) + 1);
  };
  const loads = ({ node }: RankedNode): readonly [number, number] => [
    operatorLoad.get(node.operator) ?? 0,
    nodeLoad.get(node.number) ?? 0,
  ];
  /** The least loaded, operator before node; the best ranked one of several. */
  const least = (candidates: readonly RankedNode[]): RankedNode | undefined => {
    let best: RankedNode | undefined;
    for (const one of candidates) {
      if (best === undefined) best = one;
      else {
        const [operator, node] = loads(one);
        const [bestOperator, bestNode] = loads(best);
        if (operator < bestOperator || (operator === bestOperator && node < bestNode)) best = one;
      }
    }
    return best;
  };

  const homeless: number[] = [];
  for (let slot = 0; slot < Math.min(app.replicas, rooms); slot++) {
    const home = ranked[slot];
    if (home && home.score !== null && isOpen.has(home.node.number)) put(slot, home.node);
    else homeless.push(slot);
  }
  for (const slot of homeless) {
    const free = open.filter(({ node }) => !nodeLoad.has(node.number));
    const place =
      least(free.filter(({ score }) => score !== null)) ??
      free[0] ??
      least(open.filter(({ node, room }) => (nodeLoad.get(node.number) ?? 0) < room));
    if (place) put(slot, place.node);
  }
  return slots;
}
