import { NEVER, type AppState, type Release } from "../state/types.ts";
import type { ComposeHash } from "../words/hex.ts";

/** Needs reports of rebuilders that it does not have: it never is allowed as things stand. */
const lacksReports = ({ rebuilds }: Release): boolean =>
  rebuilds !== null && rebuilds.matching < rebuilds.required;

/**
 * An app's releases as of `time`: one that came to its activation without the reports that it needs has lapsed, and what
 * it would have replaced has no end. Time alone does this, so no event says it.
 */
export function releasesAt(app: AppState, time: number): readonly Release[] {
  const last = app.releases.at(-1);
  if (!last || last.vetoed || last.revoked || last.lapsed) return app.releases;
  if (!lacksReports(last) || time < last.activatesAt) return app.releases;
  return app.releases.map((release) => {
    if (release === last) return { ...release, lapsed: true, endsAt: release.activatesAt };
    const isKept = release.number === last.follows && release.endsAt >= last.activatesAt;
    return isKept ? { ...release, endsAt: NEVER } : release;
  });
}

/** A release's one interval: `activatesAt ≤ time < endsAt`. A vetoed or lapsed one never had any. */
export function isAllowedAt(release: Release, time: number): boolean {
  if (release.vetoed || release.lapsed || lacksReports(release)) return false;
  return release.activatesAt <= time && time < release.endsAt;
}

/** Is release `number` allowed at `time` (unix seconds)? Unknown numbers are not. */
export function releaseAllowedAt(app: AppState, number: number, time: number): boolean {
  const release = releasesAt(app, time)[number - 1];
  return release !== undefined && isAllowedAt(release, time);
}

/** The release of this compose hash that is allowed at `time`, if any: at most one can be. */
export function allowedReleaseOf(app: AppState, composeHash: ComposeHash, time: number): Release | undefined {
  return releasesAt(app, time).findLast(
    (release) => release.composeHash === composeHash && isAllowedAt(release, time),
  );
}

/** Is any release of this compose hash allowed at `time`? */
export function allowedHashAt(app: AppState, composeHash: ComposeHash, time: number): boolean {
  return allowedReleaseOf(app, composeHash, time) !== undefined;
}

/** The release that waits for its activation at `time`: the last one, unless vetoed or revoked. */
export function pendingAt(app: AppState, time: number): Release | undefined {
  const last = app.releases.at(-1);
  return last && !last.vetoed && !last.revoked && last.activatesAt > time ? last : undefined;
}

/**
 * The active release that a successor would follow. That is the one without an end, or, while a release is pending,
 * the one that the pending release will replace.
 */
export function headAt(app: AppState, time: number): Release | undefined {
  const releases = releasesAt(app, time);
  const pending = pendingAt(app, time);
  if (!pending) return releases.findLast((one) => isAllowedAt(one, time) && one.endsAt === NEVER);
  const followed = releases[pending.follows - 1];
  return followed && isAllowedAt(followed, time) ? followed : undefined;
}
