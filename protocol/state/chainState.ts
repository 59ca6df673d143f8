import type { Address } from "../words/hex.ts";
import type { AppState, ChainState } from "./types.ts";

const ZERO = `0x${"0".repeat(40)}` as Address;

/** The state before the first event. */
export function emptyChainState(): ChainState {
  return {
    apps: new Map(),
    nodes: new Map(),
    instances: new Map(),
    images: new Map(),
    records: new Map(),
    collateral: new Map(),
    library: { advisorySets: new Map(), expressions: new Map(), lists: new Map() },
    committee: { members: [], threshold: 0, effectiveAt: 0, expiresAt: 0, ledger: ZERO, app: ZERO },
    nextCommittee: null,
    marked: new Set(),
  };
}

const cloneApp = (app: AppState): AppState => ({
  ...app,
  pendingGuardian: app.pendingGuardian && { ...app.pendingGuardian },
  settings: new Map(
    [...app.settings].map(([key, entry]) => [
      key,
      entry.pending ? { ...entry, pending: { ...entry.pending } } : { ...entry },
    ]),
  ),
  releases: app.releases.map((release) => ({ ...release })),
  selector: { ...app.selector },
});

/** A copy that shares nothing mutable: what a reorg's replay starts from. */
export function cloneChainState(state: ChainState): ChainState {
  return {
    apps: new Map([...state.apps].map(([address, app]) => [address, cloneApp(app)])),
    nodes: new Map([...state.nodes].map(([number, node]) => [number, { ...node }])),
    images: new Map(state.images),
    records: new Map(state.records),
    collateral: new Map(state.collateral),
    instances: new Map([...state.instances].map(([key, instance]) => [key, { ...instance }])),
    library: {
      advisorySets: new Map(state.library.advisorySets),
      expressions: new Map(state.library.expressions),
      lists: new Map([...state.library.lists].map(([list, members]) => [list, new Set(members)])),
    },
    committee: state.committee,
    nextCommittee: state.nextCommittee,
    marked: new Set(state.marked),
  };
}

/** Key of `ChainState.instances`. */
export const instanceKey = (app: Address, key: Address): string => `${app}:${key}`;
