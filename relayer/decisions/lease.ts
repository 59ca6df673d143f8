import type { BlockRef } from "../../protocol/state/types.ts";
import type { VerdictMessage } from "../../protocol/session/messages.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";

/** An instance whose evidence this relayer verified: what a lease is decided upon. */
export interface LeaseSession {
  readonly app: Address;
  readonly key: Address;
  readonly node: number;
  readonly verdict: VerdictMessage;
}

export interface LeaseQuestion {
  readonly projection: Projection;
  readonly session: LeaseSession;
  /** Unix seconds. */
  readonly now: number;
  readonly chainId: number;
  readonly maxHeadAgeSeconds: number;
  readonly maxLeaseSeconds: number;
}

export type LeaseDecision =
  | {
      readonly allow: true;
      readonly release: number;
      readonly composeHash: ComposeHash;
      /** Never beyond the release's, the node's or the verdict's end. */
      readonly maxSeconds: number;
      /** The final block that the decision cites. */
      readonly block: BlockRef;
    }
  | { readonly allow: false; readonly reason: string; readonly details: Readonly<Record<string, unknown>> };

export declare function decideLease(question: LeaseQuestion): LeaseDecision;
