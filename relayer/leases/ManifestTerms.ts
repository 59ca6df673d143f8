import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { parseManifest } from "../../protocol/manifest/index.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import type { BlobStore } from "../store/blobStore.ts";

/** Manifests remembered at once; they never change, so the oldest simply goes. */
const MAX_REMEMBERED = 1_024;

/**
 * The longest lease that a measured manifest accepts (`charter.max_lease_seconds`): a guest refuses a longer one, so it
 * would never run. A manifest that is not kept here says nothing.
 */
export class ManifestTerms {
  readonly #blobs: Pick<BlobStore, "get">;
  readonly #maxLeaseSeconds = new Map<Bytes32, number>();

  constructor(blobs: Pick<BlobStore, "get">) {
    this.#blobs = blobs;
  }

  /** Infinity when the manifest is not known here, or names no terms. */
  async maxLeaseSeconds(composeHash: Bytes32): Promise<number> {
    const known = this.#maxLeaseSeconds.get(composeHash);
    if (known !== undefined) return known;
    const bytes = await this.#blobs.get(composeHash);
    if (bytes === null) return Infinity; // It may be published later.
    const seconds = readTerms(bytes);
    this.#maxLeaseSeconds.set(composeHash, seconds);
    const oldest = this.#maxLeaseSeconds.keys().next();
    if (this.#maxLeaseSeconds.size > MAX_REMEMBERED && oldest.done !== true) {
      this.#maxLeaseSeconds.delete(oldest.value);
    }
    return seconds;
  }
}

function readTerms(bytes: Uint8Array): number {
  try {
    return parseManifest(bytes).charter?.max_lease_seconds ?? Infinity;
  } catch (error) {
    if (isCharterError(error)) return Infinity; // No guest of ours runs it; dstack's own may.
    throw error;
  }
}
