import type { AppState, BlockRef, ChainState } from "../state/types.ts";
import type { Address, Bytes32, Hex } from "../words/hex.ts";
import { CHAIN_ALONE, rankNodes } from "./assignSlots.ts";
import type { PlacementInputs, Standing } from "./assignSlots.ts";
import { appPlacements } from "./placements.ts";
import type { Placement } from "./placements.ts";

/** Why a slot is where it is: at the place that the draw gave it, or elsewhere because that place is not to be had. */
export interface ExplainedPlacement extends Placement {
  readonly operator: Address;
  readonly why: "home" | "spare" | "shared";
  /** The node that the draw gave this slot, and how it stands; null where the draw knew fewer nodes than slots. */
  readonly home: { readonly node: number; readonly standing: Standing } | null;
}

export interface PlacementExplanation {
  readonly app: Address;
  /** Hash of the block of the last ReplicasChanged, and how many nodes there were by then: the draw. */
  readonly seed: Bytes32;
  readonly seedNodes: number;
  readonly replicas: number;
  readonly placements: readonly ExplainedPlacement[];
  /** Every node in this app's order. */
  readonly ranking: readonly {
    readonly node: number;
    readonly operator: Address;
    readonly score: Hex | null;
    readonly standing: Standing;
  }[];
}

/** One app's placements with all that they follow from. */
export function explainPlacement(
  state: ChainState,
  block: BlockRef,
  app: AppState,
  inputs: PlacementInputs = CHAIN_ALONE,
): PlacementExplanation {
  const ranked = rankNodes(app, [...state.nodes.values()], block.timestamp, state.library, inputs);
  const placed = appPlacements(state, block, app, inputs);
  const homeOf = (slot: number): ExplainedPlacement["home"] => {
    const place = ranked[slot];
    return place && place.score !== null ? { node: place.node.number, standing: place.standing } : null;
  };
  // A node is its home slot's first; else the first slot's that found it free.
  const taken = new Set(
    placed.filter(({ slot, node }) => homeOf(slot)?.node === node).map(({ node }) => node),
  );
  const whyOf = ({ slot, node }: Placement): ExplainedPlacement["why"] => {
    if (homeOf(slot)?.node === node) return "home";
    if (taken.has(node)) return "shared";
    taken.add(node);
    return "spare";
  };
  return {
    app: app.address,
    seed: app.placementSeed,
    seedNodes: app.placementNodes,
    replicas: app.replicas,
    placements: placed.map((one) => ({
      ...one,
      operator: state.nodes.get(one.node)?.operator as Address,
      why: whyOf(one),
      home: homeOf(one.slot),
    })),
    ranking: ranked.map(({ node, score, standing }) => ({
      node: node.number,
      operator: node.operator,
      score,
      standing,
    })),
  };
}
