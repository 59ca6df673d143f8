import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { parseManifest } from "../../protocol/manifest/index.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import type { BlobStore } from "../store/blobStore.ts";

/** Manifests remembered at once; they never change, so the oldest simply goes. */
const MAX_REMEMBERED = 1_024;
/** One that is not here is looked for again no sooner: thousands of its guests may renew their leases. */
const ABSENT_MS = 1_000;

interface Terms {
  readonly maxLeaseSeconds: Promise<number>;
  /** Asked for again after that; milliseconds, monotonic. */
  until: number;
}

/**
 * The longest lease that a measured manifest accepts (`charter.max_lease_seconds`): a guest refuses a longer one, so it
 * would never run. A manifest that is not kept here says nothing.
 */
export class ManifestTerms {
  readonly #blobs: Pick<BlobStore, "get">;
  readonly #now: () => number;
  readonly #terms = new Map<Bytes32, Terms>();

  /** @param now milliseconds, monotonic. */
  constructor(blobs: Pick<BlobStore, "get">, now: () => number = () => performance.now()) {
    this.#blobs = blobs;
    this.#now = now;
  }

  /** Infinity when the manifest is not known here, or names no terms. */
  maxLeaseSeconds(composeHash: Bytes32): Promise<number> {
    const known = this.#terms.get(composeHash);
    if (known !== undefined && known.until > this.#now()) return known.maxLeaseSeconds;
    const terms: Terms = {
      until: Infinity,
      maxLeaseSeconds: this.#blobs.get(composeHash).then(
        (bytes) => {
          if (bytes !== null) return readTerms(bytes);
          terms.until = this.#now() + ABSENT_MS; // It may be published later.
          return Infinity;
        },
        (cause: unknown) => {
          if (this.#terms.get(composeHash) === terms) this.#terms.delete(composeHash);
          throw cause;
        },
      ),
    };
    this.#terms.delete(composeHash);
    this.#terms.set(composeHash, terms);
    const oldest = this.#terms.keys().next();
    if (this.#terms.size > MAX_REMEMBERED && oldest.done !== true) this.#terms.delete(oldest.value);
    return terms.maxLeaseSeconds;
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
