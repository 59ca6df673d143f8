import { CharterError } from "../errors/CharterError.ts";
import { applyEvent } from "../state/applyEvent.ts";
import { cloneChainState } from "../state/chainState.ts";
import { NEVER, type AppState, type ChainState, type Release } from "../state/types.ts";
import type { Address, Bytes32, ComposeHash } from "../words/hex.ts";
import { headAt, isAllowedAt, pendingAt, releasesAt } from "./releases.ts";
import { SettingKind } from "./settingKind.ts";
import { effectiveSetting, ZERO_KEY } from "./settings.ts";

/** Something that an app's owner could do to its policy or its releases. */
export type Change =
  | {
      readonly action: "tighten" | "loosen";
      readonly entries: readonly {
        readonly kind: SettingKind;
        readonly key: Bytes32;
        readonly value: bigint;
      }[];
    }
  | { readonly action: "revoke"; readonly release: number }
  | { readonly action: "propose"; readonly composeHash: ComposeHash; readonly graceSeconds: number };

interface Predicted {
  readonly name: string;
  readonly args: Record<string, unknown>;
}

const ZERO_HASH = `0x${"00".repeat(32)}` as Bytes32;

/**
 * The state after a change made at `time` (unix seconds): the events that the contract would emit, folded as real ones.
 * Says what follows if the contract accepts it, not whether it does (direction, level, limits).
 * A proposed release is taken to get the reports of rebuilders that it needs. The state given is left as it is.
 * @throws CharterError `state/unknown-app`, `simulate/not-possible` where no release would be proposed or revoked.
 */
export function afterChange(state: ChainState, address: Address, change: Change, time: number): ChainState {
  const app = state.apps.get(address);
  if (!app) throw new CharterError("state/unknown-app", "expected an app of this state", { app: address });
  const after = cloneChainState(state);
  for (const { name, args } of eventsOf(app, change, time)) {
    applyEvent(after, {
      contract: "app",
      address,
      name,
      args,
      blockNumber: 0n,
      blockHash: ZERO_HASH,
      blockTimestamp: time,
      transactionHash: ZERO_HASH,
      logIndex: 0,
    });
  }
  return after;
}

function eventsOf(app: AppState, change: Change, time: number): Predicted[] {
  switch (change.action) {
    case "tighten":
    case "loosen": {
      const effectiveAt = change.action === "tighten" ? time : time + noticeAt(app, time);
      return change.entries.map(({ kind, key, value }) => ({
        name: "SettingChanged",
        args: { kind, key, oldValue: effectiveSetting(app, kind, key, time), newValue: value, effectiveAt },
      }));
    }
    case "revoke":
      return [revoked(app, change.release, time)];
    case "propose":
      return [proposed(app, change.composeHash, change.graceSeconds, time)];
  }
}

/** contracts/apps/LiveSet.sol `add`, over the list of releases. */
function proposed(app: AppState, composeHash: ComposeHash, graceSeconds: number, time: number): Predicted {
  if (pendingAt(app, time)) throw notPossible("a release is pending, and only one can be", app, time);
  const releases = releasesAt(app, time);
  const head = headAt(app, time);
  const activatesAt = time + noticeAt(app, time);
  const kept = releases[(head?.follows ?? 0) - 1];
  const cut =
    kept && isAlive(kept, time)
      ? releases.find(
          (one) => isAlive(one, time) && one.number !== head?.number && one.number !== kept.number,
        )
      : undefined;
  return {
    name: "ReleaseProposed",
    args: {
      number: releases.length + 1,
      composeHash,
      noteDigest: ZERO_HASH,
      activatesAt,
      graceSeconds,
      predecessor: head?.number ?? 0,
      predecessorEndsAt: head ? Math.min(activatesAt + graceSeconds, NEVER) : 0,
      cutRelease: cut?.number ?? 0,
      actor: app.owner,
    },
  };
}

/** contracts/apps/LiveSet.sol `dropNewest`, `dropPredecessor` and `dropOlder`, over the list of releases. */
function revoked(app: AppState, number: number, time: number): Predicted {
  const releases = releasesAt(app, time);
  const release = releases[number - 1];
  if (!release || !isAlive(release, time)) throw notPossible("expected a release that is live", app, time);
  const pending = pendingAt(app, time);
  const isNewest = pending ? pending.number === number : release.endsAt === NEVER;
  const isHead = headAt(app, time)?.number === number;
  const follows = releases[release.follows - 1];
  const restored = (isNewest || isHead) && follows && isAlive(follows, time) ? follows : undefined;
  // Behind a pending release what is restored ends when that one would have ended the head.
  const restoredEndsAt =
    isNewest || !pending ? NEVER : Math.min(pending.activatesAt + pending.graceSeconds, NEVER);
  return {
    name: "ReleaseRevoked",
    args: {
      number,
      oldEndsAt: release.endsAt,
      endsAt: time,
      restored: restored?.number ?? 0,
      restoredEndsAt: restored ? restoredEndsAt : 0,
      actor: app.owner,
    },
  };
}

const noticeAt = (app: AppState, time: number): number =>
  Number(effectiveSetting(app, SettingKind.Notice, ZERO_KEY, time));

/** Pending, head or in grace. */
const isAlive = (release: Release, time: number): boolean =>
  !release.vetoed && !release.revoked && !release.lapsed && release.endsAt > time;

const notPossible = (message: string, app: AppState, time: number): CharterError =>
  new CharterError("simulate/not-possible", message, {
    app: app.address,
    allowed: releasesAt(app, time)
      .filter((release) => isAllowedAt(release, time))
      .map(({ number }) => number),
    pending: pendingAt(app, time)?.number ?? null,
  });
