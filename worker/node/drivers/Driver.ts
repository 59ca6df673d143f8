import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";

/** One guest that a node should run. */
export interface GuestSpec {
  /** Unique on this node: one per placement and release. */
  readonly id: string;
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly slot: number;
  readonly node: number;
}

/** How a guest ended. */
export interface GuestExit {
  readonly id: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** What starts and stops guests on this machine. One file per driver; `dstack-vmm` is a later step. */
export interface Driver {
  readonly name: string;
  /** Starts a guest. `onExit` is called once, however it ends, also when it could not be started. */
  start(spec: GuestSpec, onExit: (exit: GuestExit) => void): void;
  /** Resolves when the guest has ended; harmless for one that does not run. */
  stop(id: string): Promise<void>;
  /** Ids of the guests that run. */
  list(): readonly string[];
}
