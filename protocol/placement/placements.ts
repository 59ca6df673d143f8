import { headAt, isAllowedAt, releasesAt } from "../policy/releases.ts";
import type { AppState, BlockRef, ChainState, Release } from "../state/types.ts";
import type { Address, ComposeHash } from "../words/hex.ts";
import { assignSlots, CHAIN_ALONE, rankNodes } from "./assignSlots.ts";
import type { PlacementInputs } from "./assignSlots.ts";

/** One instance that should run: slot `slot` of an app, on node `node`. */
export interface Placement {
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly slot: number;
  /** Number of the node. */
  readonly node: number;
  /** The release before, in its grace: it may go on in this slot until the new one has a lease there, and no longer than this. */
  readonly predecessor: PredecessorRef | null;
}

export interface PredecessorRef {
  readonly release: number;
  readonly composeHash: ComposeHash;
  /** Unix seconds: its grace ends. */
  readonly until: number;
}

/** Slots take over a new head in so many steps… */
const STEPS = 4;
/** …with this long in between, and all of them within half of the predecessor's grace. */
const STEP_SECONDS = 20;

/** The release that a new head took over from, while it still is allowed. */
function predecessorOf(app: AppState, head: Release, time: number): Release | undefined {
  const followed = releasesAt(app, time)[head.follows - 1];
  return followed && isAllowedAt(followed, time) ? followed : undefined;
}

/** Has the turn of this slot, of so many, come to take over the head? All turns come at activation where nothing is in grace. */
function hasTurn(slot: number, slots: number, head: Release, predecessor: Release, time: number): boolean {
  const step = Math.floor((slot * STEPS) / Math.max(slots, STEPS));
  const grace = predecessor.endsAt - head.activatesAt;
  const wait = Math.min(STEP_SECONDS, Math.floor(grace / (2 * STEPS)));
  return time >= head.activatesAt + step * wait;
}

/** What one app should run where, in order of slot. */
export function appPlacements(
  state: ChainState,
  block: BlockRef,
  app: AppState,
  inputs: PlacementInputs = CHAIN_ALONE,
): Placement[] {
  const time = block.timestamp;
  const head = app.replicas === 0 ? undefined : headAt(app, time);
  if (!head) return [];
  const before = predecessorOf(app, head, time);
  const slots = assignSlots(app, rankNodes(app, [...state.nodes.values()], time, state.library, inputs));
  return [...slots]
    .sort(([a], [b]) => a - b)
    .map(([slot, node]) => {
      const waits = before !== undefined && !hasTurn(slot, slots.size, head, before, time);
      const { number, composeHash } = waits ? before : head;
      return {
        app: app.address,
        release: number,
        composeHash,
        slot,
        node,
        predecessor:
          waits || before === undefined
            ? null
            : { release: before.number, composeHash: before.composeHash, until: before.endsAt },
      };
    });
}

/**
 * What should run where: a pure function of the final state, and of the two inputs that are published with it, which anyone
 * can recompute (`charter placement`). The hash that seeds it is that of the block of the app's last ReplicasChanged (or
 * creation), not of every final block: so nobody can choose it, and placements do not move while nothing changes. A
 * node's number is part of its rank, so that registering again is a new draw.
 *
 * @param block the final block whose state this is; heads, turns and expiries are as of its time.
 */
export function placements(
  state: ChainState,
  block: BlockRef,
  inputs: PlacementInputs = CHAIN_ALONE,
): Placement[] {
  return [...state.apps.values()]
    .sort((a, b) => (a.address < b.address ? -1 : 1))
    .flatMap((app) => appPlacements(state, block, app, inputs));
}
