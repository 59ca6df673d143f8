import { ZeroAddress } from "ethers";

import type { IndexedApp, IndexedRelease, IndexedSetting } from "./indexedApp.ts";

/** uint40 max: no end, never. */
export const NEVER = 2n ** 40n - 1n;

// What a reader of the index makes of its times, for a moment in unix seconds.

export interface EntryNow {
  readonly value: bigint;
  readonly pendingValue: bigint;
  readonly effectiveAt: bigint;
}

export function entryAt({ value, pendingValue, effectiveAt }: IndexedSetting, time: bigint): EntryNow {
  if (pendingValue === null || effectiveAt === null) {
    return { value: BigInt(value), pendingValue: 0n, effectiveAt: 0n };
  }
  if (BigInt(effectiveAt) <= time) return { value: BigInt(pendingValue), pendingValue: 0n, effectiveAt: 0n };
  return { value: BigInt(value), pendingValue: BigInt(pendingValue), effectiveAt: BigInt(effectiveAt) };
}

export interface GuardianNow {
  readonly guardian: string;
  readonly pending: string;
  readonly pendingAt: bigint;
}

export function guardianAt(app: IndexedApp, time: bigint): GuardianNow {
  const pending = app.pendingGuardian ?? ZeroAddress;
  const at = BigInt(app.pendingGuardianAt ?? 0);
  if (at > time) return { guardian: app.guardian ?? ZeroAddress, pending, pendingAt: at };
  return {
    guardian: at === 0n ? (app.guardian ?? ZeroAddress) : pending,
    pending: ZeroAddress,
    pendingAt: 0n,
  };
}

export interface Interval {
  readonly number: number;
  readonly activatesAt: bigint;
  readonly endsAt: bigint;
}

/** Whether a release came to its time without the reports that it needed. */
const lapsed = (release: IndexedRelease, time: bigint): boolean =>
  !release.vetoed &&
  !release.revoked &&
  release.rebuildsMatching < release.rebuildsRequired &&
  BigInt(release.activatesAt) <= time;

/** The releases that can still run, newest first. One that lapsed frees its predecessor of the end that it gave it. */
export function liveAt(releases: readonly IndexedRelease[], time: bigint): Interval[] {
  const live: Interval[] = [];
  const newest = releases.at(-1);
  // Any later event has said the predecessor's end anew.
  let freed =
    newest && lapsed(newest, time) ? BigInt(newest.activatesAt) + BigInt(newest.graceSeconds) : undefined;
  for (const release of releases.toReversed()) {
    if (release.vetoed || lapsed(release, time)) continue;
    let endsAt = BigInt(release.endsAt);
    if (endsAt === freed && !release.revoked) {
      endsAt = NEVER;
      freed = undefined;
    }
    if (endsAt > time)
      live.push({ number: release.number, activatesAt: BigInt(release.activatesAt), endsAt });
  }
  return live;
}

/** Earliest time after `time` at which anything that is recorded takes effect. */
export function nextChangeAt(app: IndexedApp, time: bigint): bigint {
  const times = [
    ...app.settings.map((setting) => entryAt(setting, time).effectiveAt),
    guardianAt(app, time).pendingAt,
    ...liveAt(app.releases, time).flatMap(({ activatesAt, endsAt }) => [activatesAt, endsAt]),
  ];
  return times.reduce((next, at) => (at > time && at < next ? at : next), NEVER);
}
