import type { BlockRef, ChainState } from "../../protocol/state/types.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";

export interface Placement {
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly slot: number;
  /** Number of the node. */
  readonly node: number;
}

export declare function placements(state: ChainState, finalBlock: BlockRef): Placement[];
