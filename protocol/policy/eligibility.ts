import type { AppState, Library, NodeState } from "../state/types.ts";
import { isGpuRequired, isNodeAllowed, isStatusAllowed } from "./judge.ts";
import { SettingKind } from "./settingKind.ts";
import { effectiveSetting, numberKey } from "./settings.ts";

/**
 * May an active node of this kind, status and operator run this app at `time`, by policy and its owner's wishes?
 *
 * The chain knows nothing of nodes' GPUs: a registration carries none. So an app that needs one is placed only on nodes that
 * its owner named, by platform (policy) or by operator (selector). That a GPU is there the instance's evidence shows: on a
 * node without one the instance is denied, and nothing runs.
 */
export function isEligible(app: AppState, node: NodeState, time: number, library: Library): boolean {
  const { teeKinds, gpu, operators } = app.selector;
  return (
    effectiveSetting(app, SettingKind.TeeKind, numberKey(node.kind), time) === 1n &&
    isStatusAllowed(app, node.status, time) &&
    isNodeAllowed(app, node, time, library) &&
    (teeKinds === 0 || (teeKinds & (1 << node.kind)) !== 0) &&
    (!(gpu || isGpuRequired(app, time)) || isNamed(app, node, time)) &&
    (operators.length === 0 || operators.includes(node.operator))
  );
}

/** Its owner means this very machine, or whatever this operator has. */
const isNamed = (app: AppState, node: NodeState, time: number): boolean =>
  app.selector.operators.includes(node.operator) ||
  effectiveSetting(app, SettingKind.Node, node.platformId, time) === 1n;

/** Attested, not retired, and its attestation has not run out. */
export const isActive = (node: NodeState, time: number): boolean =>
  !node.retired && !node.invalidated && node.expiresAt > time;
