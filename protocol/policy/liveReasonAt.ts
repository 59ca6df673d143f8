import type { ChainState, InstanceState } from "../state/types.ts";
import { isActive } from "./eligibility.ts";
import { judge } from "./judge.ts";
import { Reason } from "./reason.ts";

/**
 * The twin of `AttestationLedger.liveReason`, as far as events say: how the record of a direct proof stands today, and
 * whether governance has replaced a verifier since, is asked of the chain. So what this denies the chain denies; what it
 * allows the chain may deny.
 * @param at `time` in unix seconds, at or after the state's newest event.
 */
export function liveReasonAt(
  { apps, nodes, library }: Pick<ChainState, "apps" | "nodes" | "library">,
  instance: InstanceState | undefined,
  { time, chainId }: { readonly time: number; readonly chainId: number },
): Reason {
  if (instance === undefined) return Reason.ProofMissing;
  if (instance.expiresAt <= time) return Reason.EvidenceTooOld;
  const app = apps.get(instance.app);
  if (app === undefined) return Reason.AppNotRegistered;
  const node = nodes.get(instance.node);
  if (node === undefined || !isActive(node, time)) return Reason.NodeNotAllowed;
  const { platformId, operator } = node;
  return judge(app, { ...instance, platformId, operator }, { time, chainId, library });
}
