import { CharterError } from "../../protocol/errors/CharterError.ts";
import {
  changesText,
  diffManifests,
  parseComposeFile,
  parseManifest,
  type Manifest,
} from "../../protocol/manifest/index.ts";
import type { Release } from "../../protocol/state/types.ts";
import type { Context } from "./context.ts";
import { describeManifest } from "./manifest.ts";
import { fetchByDigest } from "./publish.ts";

const UNAVAILABLE = new Set(["ipfs/unknown", "manifest/malformed", "compose/malformed"]);

/** A release's manifest as the relayer has it, checked by hash; null when there is none to be had. */
export async function manifestOf(context: Context, release: Release | undefined): Promise<Manifest | null> {
  if (!release) return null;
  try {
    const manifest = parseManifest(await fetchByDigest(context, release.composeHash));
    parseComposeFile(manifest.docker_compose_file);
    return manifest;
  } catch (error) {
    // It may never have been published, or be none of ours; other bytes under its hash are not passed over.
    if (error instanceof CharterError && UNAVAILABLE.has(error.code)) return null;
    throw error;
  }
}

/**
 * What a release changes, for those who decide about it. The same manifests give the same text everywhere, so that a
 * proposal's description can be compared with it.
 * @param predecessor null when there is none, or its manifest is not to be had.
 */
export function releaseChanges(predecessor: Manifest | null, next: Manifest): string {
  const against = predecessor === null ? "no manifest to compare with" : "against its predecessor";
  const changes = changesText(diffManifests(predecessor, next)).replaceAll(/^/gm, "  ");
  return `${describeManifest(next)}\nchanges, ${against}:\n${changes}`;
}
