import type { Manifest } from "../../protocol/manifest/index.ts";
import { describeManifest } from "./manifest.ts";

/**
 * What a release changes, for those who decide about it. The same manifests give the same text everywhere, so that a
 * proposal's description can be compared with it.
 * @param predecessor null when there is none, or its manifest is not to be had.
 */
export function releaseChanges(predecessor: Manifest | null, next: Manifest): string {
  const before =
    predecessor === null ? "no manifest to compare with" : `before: ${describeManifest(predecessor)}`;
  return `${describeManifest(next)}\n${before}`;
}
