import type { PublicClient } from "viem";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Store } from "../store/store.ts";
import type { Finality } from "./finality.ts";
import type { Projection } from "./projection.ts";

export interface FollowerOptions {
  readonly client: PublicClient;
  readonly store: Store;
  readonly deployment: Deployment;
  readonly finality: Finality;
  readonly pollMs?: number;
}

export interface FollowerStatus {
  readonly ready: boolean;
  readonly newest: BlockRef | null;
  readonly final: BlockRef | null;
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly reorgs: number;
}

export declare class Follower {
  constructor(options: FollowerOptions);
  /** @throws chain/wrong-chain, chain/finality-unavailable, chain/unreachable, store/other-chain */
  start(): Promise<void>;
  tick(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
  /** @throws chain/not-ready before the first sync */
  projection(): Projection;
  onUpdate(listener: (projection: Projection) => void): () => void;
  /** Seconds between the newest block's time and `now` (unix seconds). */
  headAgeSeconds(now?: number): number;
  status(): FollowerStatus;
}
