import type { AppState, Library, NodeState } from "../state/types.ts";
import { isGpuRequired, isNodeAllowed, isStatusAllowed } from "./judge.ts";
import { SettingKind } from "./settingKind.ts";
import { effectiveSetting, numberKey } from "./settings.ts";

/** May an active node of this kind, status and operator run this app at `time`, by policy and its owner's wishes? */
export function isEligible(app: AppState, node: NodeState, time: number, library: Library): boolean {
  const { teeKinds, gpu, operators } = app.selector;
  return (
    effectiveSetting(app, SettingKind.TeeKind, numberKey(node.kind), time) === 1n &&
    isStatusAllowed(app, node.status, time) &&
    isNodeAllowed(app, node, time, library) &&
    (teeKinds === 0 || (teeKinds & (1 << node.kind)) !== 0) &&
    // No node has an attested GPU yet, so nothing that asks for one can be placed.
    !gpu &&
    !isGpuRequired(app, time) &&
    (operators.length === 0 || operators.includes(node.operator))
  );
}

/** Attested, not retired, and its attestation has not run out. */
export const isActive = (node: NodeState, time: number): boolean =>
  !node.retired && !node.invalidated && node.expiresAt > time;
