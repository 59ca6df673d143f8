import type { BlockRef, ChainState } from "../../protocol/state/types.ts";

/** One height of the chain, and what every event up to it says. */
export interface ProjectedHeight {
  readonly block: BlockRef;
  readonly state: ChainState;
}

/**
 * What the follower knows: grants need `final` and `newest` to allow, one of them is enough to deny.
 *
 * The states are the follower's live objects, which it updates in place between turns of the event loop: read them
 * without awaiting in between, and never write to them.
 */
export interface Projection {
  readonly final: ProjectedHeight;
  readonly newest: ProjectedHeight;
}
