import { NEVER, type AppState, type Release } from "../state/types.ts";
import type { ComposeHash } from "../words/hex.ts";

/** A release's one interval: `activatesAt ≤ time < endsAt`. A vetoed one never had any. */
export function isAllowedAt(release: Release, time: number): boolean {
  return !release.vetoed && release.activatesAt <= time && time < release.endsAt;
}

/** Is release `number` allowed at `time` (unix seconds)? Unknown numbers are not. */
export function releaseAllowedAt(app: AppState, number: number, time: number): boolean {
  const release = app.releases[number - 1];
  return release !== undefined && isAllowedAt(release, time);
}

/** The release of this compose hash that is allowed at `time`, if any: at most one can be. */
export function allowedReleaseOf(app: AppState, composeHash: ComposeHash, time: number): Release | undefined {
  return app.releases.findLast(
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
 * the predecessor that the pending release will end.
 */
export function headAt(app: AppState, time: number): Release | undefined {
  const pending = pendingAt(app, time);
  if (!pending)
    return app.releases.findLast((release) => isAllowedAt(release, time) && release.endsAt === NEVER);
  const end = Math.min(pending.activatesAt + pending.graceSeconds, NEVER);
  return app.releases.findLast((release) => isAllowedAt(release, time) && release.endsAt === end);
}
