import { createHash } from "node:crypto";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { publishDomain, publishTypes } from "../../../protocol/session/domains.ts";
import type { ChainState } from "../../../protocol/state/types.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { recoverTypedData } from "../../keys/recoverTypedData.ts";

/** Largest manifest or note that is kept: 1 MiB. */
export const MAX_BLOB_BYTES = 1_048_576;

/** Refuses bytes that are not what their address says. @throws CharterError `ipfs/hash-mismatch`, `ipfs/too-large`. */
export function requireDigest(bytes: Uint8Array, digest: Bytes32): void {
  if (bytes.length > MAX_BLOB_BYTES) {
    throw new CharterError("ipfs/too-large", "at most 1 MiB is kept", {
      expected: MAX_BLOB_BYTES,
      actual: bytes.length,
    });
  }
  const actual = toHex(createHash("sha256").update(bytes).digest());
  if (actual !== digest) {
    throw new CharterError("ipfs/hash-mismatch", "the bytes have another SHA-256 than the CID names", {
      expected: digest,
      actual,
    });
  }
}

/** Does an event name this digest, as a manifest's or as a note's? */
export function standsInEvent(state: ChainState, digest: Bytes32): boolean {
  for (const app of state.apps.values()) {
    for (const release of app.releases) {
      if (release.composeHash === (digest as Hex) || release.noteDigest === (digest as Hex)) return true;
    }
  }
  return false;
}

interface Publication {
  readonly state: ChainState;
  readonly digest: Bytes32;
  /** Header `charter-signature`. */
  readonly signature: Hex | undefined;
  readonly publishers: readonly Address[];
  readonly chainId: number;
  readonly appRegistry: Address;
}

/**
 * Anyone may publish what an event names already; anything else needs the signature of an app's owner or of a
 * configured publisher, so that nobody fills the store for free.
 * @returns the app's owner on whose word alone it is published; null otherwise.
 * @throws CharterError `ipfs/not-publishable`.
 */
export function requirePublishable(publication: Publication): Address | null {
  const { state, digest, signature, publishers, chainId, appRegistry } = publication;
  if (standsInEvent(state, digest)) return null;
  if (signature !== undefined) {
    const signer = recoverPublisher(signature, digest, chainId, appRegistry);
    if (signer !== null) {
      if (publishers.includes(signer)) return null;
      for (const app of state.apps.values()) if (app.owner === signer) return signer;
    }
  }
  throw new CharterError(
    "ipfs/not-publishable",
    "the digest stands in no event, and no app owner or publisher signed for it",
    { digest, signed: signature !== undefined },
  );
}

function recoverPublisher(
  signature: Hex,
  digest: Bytes32,
  chainId: number,
  appRegistry: Address,
): Address | null {
  const typedData = {
    domain: publishDomain(chainId, appRegistry),
    types: publishTypes,
    primaryType: "Publish",
    message: { digest },
  } as const;
  return recoverTypedData(typedData, signature);
}
