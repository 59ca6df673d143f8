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

/** What starts and stops guests on this machine. One file per driver. */
export interface Driver {
  readonly name: string;
  /** Starts a guest. `onExit` is called once, however it ends, also when it could not be started. */
  start(spec: GuestSpec, onExit: (exit: GuestExit) => void): void;
  /** Resolves when the guest has ended; harmless for one that does not run. */
  stop(id: string): Promise<void>;
  /** Finds guests that an earlier agent started and that run on. Called once, before any `start`; absent: there are none. */
  adopt?(): Promise<void>;
  /** Readies what makes the next start quicker, and lets go of it. */
  warm?(): void;
  close?(): void;
  /** True where guests run on when the agent stops in order, for the next one to adopt. */
  readonly keepsOnStop?: boolean;
  /** Ids of the guests that run, those adopted included: `start` of such a one goes on with it. */
  list(): readonly string[];
}
