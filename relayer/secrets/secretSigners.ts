import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { parseManifest } from "../../protocol/manifest/index.ts";
import type { ChainState, Release } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { BlobStore } from "../store/blobStore.ts";

/**
 * Who may set an app's secrets: those whom manifests of releases name that are allowed, or may still be. Guests look at
 * their own manifest again; this only keeps strangers from filling the store.
 */
export async function secretSigners(
  app: Address,
  state: ChainState,
  now: number,
  blobs: Pick<BlobStore, "get">,
): Promise<readonly Address[]> {
  const counts = ({ vetoed, lapsed, endsAt }: Release): boolean => !vetoed && !lapsed && endsAt > now;
  const releases = (state.apps.get(app)?.releases ?? []).filter(counts);
  const hashes = [...new Set(releases.map(({ composeHash }) => composeHash))];
  const manifests = await Promise.all(hashes.map((hash) => blobs.get(hash)));
  return [...new Set(manifests.flatMap((bytes) => (bytes === null ? [] : signersIn(bytes))))];
}

function signersIn(bytes: Uint8Array): readonly Address[] {
  try {
    return parseManifest(bytes).charter?.secret_signers ?? [];
  } catch (error) {
    if (isCharterError(error)) return []; // No guest of ours runs it.
    throw error;
  }
}
