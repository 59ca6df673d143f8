import { CharterError } from "../errors/CharterError.ts";
import { NEVER, type AppState, type ChainState, type InstanceState, type NodeState } from "../state/types.ts";
import type { Address } from "../words/hex.ts";
import { afterChange, type Change } from "./change.ts";
import { isActive, isEligible } from "./eligibility.ts";
import { judge } from "./judge.ts";
import { Reason } from "./reason.ts";
import { SettingKind } from "./settingKind.ts";

/** A live instance that would stop earlier than it would anyhow. Times are unix seconds. */
export interface Stop {
  readonly instance: InstanceState;
  readonly stopsAt: number;
  readonly reason: Reason;
  /** When it would stop without the change; null for never. */
  readonly otherwiseAt: number | null;
}

/** A node that would begin, or cease, to be one that the app may be placed on. */
export interface NodeChange {
  readonly node: NodeState;
  readonly at: number;
}

/** What a change would do. */
export interface Simulation {
  readonly time: number;
  readonly after: AppState;
  /** Live instances at `time`, without the change. */
  readonly live: number;
  readonly stops: readonly Stop[];
  readonly ineligible: readonly NodeChange[];
  readonly eligible: readonly NodeChange[];
}

/**
 * Which live instances of an app would stop, and which active nodes change eligibility, if `changes` were made, in order, at `time`:
 * both states are judged at every moment at which time alone changes an answer. Evidence is taken to be renewed as it
 * is, so that what merely expires is no effect of the change.
 * @param chainId whose rules decide about simulated evidence.
 */
export function simulate(
  state: ChainState,
  address: Address,
  changes: readonly Change[],
  { time, chainId }: { readonly time: number; readonly chainId: number },
): Simulation {
  const changed = changes.reduce((reached, change) => afterChange(reached, address, change, time), state);
  const before = appOf(state, address);
  const after = appOf(changed, address);
  const times = [...new Set([time, ...momentsOf(before, time), ...momentsOf(after, time)])].sort(
    (a, b) => a - b,
  );
  const { library } = state;

  const deniedFrom = (app: AppState, instance: InstanceState): { at: number; reason: Reason } | null => {
    for (const at of times) {
      const reason = reasonOf(state, app, instance, at, chainId);
      if (reason !== Reason.Allowed) return { at, reason };
    }
    return null;
  };
  const live = [...state.instances.values()].filter((instance) => {
    const node = state.nodes.get(instance.node);
    if (instance.app !== address || instance.expiresAt <= time || !node || !isActive(node, time))
      return false;
    return reasonOf(state, before, instance, time, chainId) === Reason.Allowed;
  });
  const stops = live.flatMap((instance): Stop[] => {
    const otherwise = deniedFrom(before, instance);
    const denied = deniedFrom(after, instance);
    if (!denied || (otherwise && otherwise.at <= denied.at)) return [];
    return [{ instance, stopsAt: denied.at, reason: denied.reason, otherwiseAt: otherwise?.at ?? null }];
  });

  const nodes = [...state.nodes.values()].filter((node) => isActive(node, time));
  const firstDifference = (from: boolean): NodeChange[] =>
    nodes.flatMap((node) => {
      const at = times.find(
        (one) =>
          isEligible(before, node, one, library) === from && isEligible(after, node, one, library) !== from,
      );
      return at === undefined ? [] : [{ node, at }];
    });
  return {
    time,
    after,
    live: live.length,
    stops,
    ineligible: firstDifference(true),
    eligible: firstDifference(false),
  };
}

function appOf(state: ChainState, address: Address): AppState {
  const app = state.apps.get(address);
  if (!app) throw new CharterError("state/unknown-app", "expected an app of this state", { app: address });
  return app;
}

/** AttestationLedger's `liveReason` but for what expires. */
function reasonOf(
  state: ChainState,
  app: AppState,
  instance: InstanceState,
  time: number,
  chainId: number,
): Reason {
  const node = state.nodes.get(instance.node);
  if (!node || node.retired) return Reason.NodeNotAllowed;
  const { platformId, operator } = node;
  return judge(app, { ...instance, platformId, operator }, { time, chainId, library: state.library });
}

const DATED: readonly string[] = [SettingKind.TcbStatusUntil, SettingKind.Advisory].map(String);

/** Every moment after `time` at which an app's answers may change with nothing else happening. */
function momentsOf(app: AppState, time: number): number[] {
  const moments = app.releases.flatMap(({ activatesAt, endsAt }) => [activatesAt, endsAt]);
  for (const [id, { value, pending }] of app.settings) {
    if (pending) moments.push(pending.effectiveAt);
    if (!DATED.includes(id.split(":", 1)[0] ?? "")) continue;
    for (const until of [value, pending?.value ?? 0n]) if (until < BigInt(NEVER)) moments.push(Number(until));
  }
  return moments.filter((moment) => moment > time && moment < NEVER);
}
