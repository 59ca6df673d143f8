import { encodeAbiParameters, keccak256 } from "viem";

import { isActive, isEligible } from "../../protocol/policy/eligibility.ts";
import { headAt } from "../../protocol/policy/releases.ts";
import type { AppState, BlockRef, ChainState, Library, NodeState } from "../../protocol/state/types.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";

/** One instance that should run: slot `slot` of an app, on node `node`. */
export interface Placement {
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly slot: number;
  /** Number of the node. */
  readonly node: number;
}

/** Slots of one app that one node runs at most; slots beyond what the nodes hold are not placed. */
export const MAX_SLOTS_PER_NODE = 4;

/** A node's rank for an app: unpredictable before the seed's block, the same for everybody after it. */
const scoreOf = (app: AppState, node: NodeState): string =>
  keccak256(
    encodeAbiParameters(
      [{ type: "bytes32" }, { type: "address" }, { type: "bytes32" }, { type: "uint32" }],
      [app.placementSeed, app.address, node.platformId, node.number],
    ),
  );

/**
 * All nodes in the order in which this app prefers them: those that were registered at the seed by score, later ones
 * behind them by number. So a node that joins takes nothing from another.
 */
function ranked(app: AppState, nodes: readonly NodeState[]): NodeState[] {
  const known = nodes
    .filter((node) => node.number <= app.placementNodes)
    .map((node) => ({ node, score: scoreOf(app, node) }))
    .sort((a, b) => (a.score < b.score ? -1 : 1))
    .map(({ node }) => node);
  const later = nodes.filter((node) => node.number > app.placementNodes).sort((a, b) => a.number - b.number);
  return [...known, ...later];
}

/** Node per slot of one app. */
function assign(
  app: AppState,
  nodes: readonly NodeState[],
  time: number,
  library: Library,
): Map<number, number> {
  const order = ranked(app, nodes);
  const eligible = order.filter((node) => isActive(node, time) && isEligible(app, node, time, library));
  const isOpen = new Set(eligible.map((node) => node.number));
  const load = new Map(eligible.map((node) => [node.number, 0]));
  const slots = new Map<number, number>();
  const put = (slot: number, node: number) => {
    slots.set(slot, node);
    load.set(node, (load.get(node) ?? 0) + 1);
  };
  const count = Math.min(app.replicas, eligible.length * MAX_SLOTS_PER_NODE);

  // Slot i belongs to the i-th node known at the seed, whoever else comes or goes. Slots without such a node…
  const homeless: number[] = [];
  for (let slot = 0; slot < count; slot++) {
    const home = order[slot];
    if (home && home.number <= app.placementNodes && isOpen.has(home.number)) put(slot, home.number);
    else homeless.push(slot);
  }
  // …go to the least loaded node, the best ranked one of several.
  for (const slot of homeless) {
    let best: number | undefined;
    for (const { number } of eligible) {
      if (best === undefined || (load.get(number) ?? 0) < (load.get(best) ?? 0)) best = number;
    }
    if (best !== undefined) put(slot, best);
  }
  return slots;
}

/**
 * What should run where: a pure function of the final state, which anyone can recompute (DESIGN section 3, step 5).
 * The hash that seeds it is that of the block of the app's last ReplicasChanged (or creation), not of every final
 * block: so nobody can choose it, and placements do not move while nothing changes. A node's number is part of its
 * rank, so that registering again is a new draw.
 *
 * @param block the final block whose state this is; heads and expiries are as of its time.
 */
export function placements(state: ChainState, block: BlockRef): Placement[] {
  const nodes = [...state.nodes.values()];
  const all: Placement[] = [];
  for (const app of state.apps.values()) {
    const head = app.replicas === 0 ? undefined : headAt(app, block.timestamp);
    if (!head) continue;
    for (const [slot, node] of assign(app, nodes, block.timestamp, state.library)) {
      all.push({ app: app.address, release: head.number, composeHash: head.composeHash, slot, node });
    }
  }
  return all.sort((a, b) => (a.app === b.app ? a.slot - b.slot : a.app < b.app ? -1 : 1));
}
