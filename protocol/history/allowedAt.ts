import { releasesAt, isAllowedAt } from "../policy/releases.ts";
import { applyEvent } from "../state/applyEvent.ts";
import { emptyChainState } from "../state/chainState.ts";
import type { ChainEvent, Release } from "../state/types.ts";
import type { Address, ComposeHash } from "../words/hex.ts";

/** Was this code allowed then, and what says so. Times in unix seconds. */
export interface AllowedAt {
  readonly app: Address;
  readonly composeHash: ComposeHash;
  readonly time: number;
  readonly allowed: boolean;
  readonly reason:
    "allowed" | "app-unknown" | "never-proposed" | "not-yet" | "ended" | "vetoed" | "revoked" | "lapsed";
  /** The release that was allowed, else the last one of this hash; null if there is none. */
  readonly release: number | null;
  /** Its interval as it stood at that time: a later revoke shortens it from then on only. */
  readonly activatesAt: number | null;
  readonly endsAt: number | null;
  /** The events that changed what this app says of this hash, in order. */
  readonly events: readonly ChainEvent[];
}

/**
 * "Was this allowed at time T?", exactly, from one app's events in chain order. Only events of blocks up to T are folded:
 * what was decided later cannot change what was allowed then (a revoke ends a release in its own block, a cut and a veto
 * too, and an end moves later only while it lies in the future). What time alone does until T is judged at T.
 */
export function allowedAt(
  history: readonly ChainEvent[],
  app: Address,
  composeHash: ComposeHash,
  time: number,
): AllowedAt {
  const state = emptyChainState();
  const deciding: ChainEvent[] = [];
  let before = "[]";
  for (const event of history) {
    if (event.contract !== "app" || event.address !== app || event.blockTimestamp > time) continue;
    applyEvent(state, event);
    const after = JSON.stringify(ofHash(state.apps.get(app)?.releases ?? [], composeHash));
    if (after !== before) deciding.push(event);
    before = after;
  }
  const found = state.apps.get(app);
  const asked = { app, composeHash, time, events: deciding };
  if (!found) {
    return {
      ...asked,
      allowed: false,
      reason: "app-unknown",
      release: null,
      activatesAt: null,
      endsAt: null,
    };
  }
  const releases = ofHash(releasesAt(found, time), composeHash);
  const release = releases.findLast((one) => isAllowedAt(one, time)) ?? releases.at(-1);
  if (!release) {
    return {
      ...asked,
      allowed: false,
      reason: "never-proposed",
      release: null,
      activatesAt: null,
      endsAt: null,
    };
  }
  const { number, activatesAt, endsAt } = release;
  const reason = reasonOf(release, time);
  return { ...asked, allowed: reason === "allowed", reason, release: number, activatesAt, endsAt };
}

const ofHash = (releases: readonly Release[], composeHash: ComposeHash): readonly Release[] =>
  releases.filter((release) => release.composeHash === composeHash);

function reasonOf(release: Release, time: number): AllowedAt["reason"] {
  if (isAllowedAt(release, time)) return "allowed";
  if (release.vetoed) return "vetoed";
  if (release.revoked) return "revoked";
  if (release.lapsed) return "lapsed";
  return time < release.activatesAt ? "not-yet" : "ended";
}
