import { createHash, hkdfSync } from "node:crypto";

import type { Address } from "../../../protocol/words/hex.ts";
import { deriveAppKey } from "../deriveAppKey.ts";
import type { KeySource, KeyUse } from "../KeySource.ts";
import { snpDerivedKey, type SnpguestOptions } from "./snpDerivedKey.ts";

/** Who decides what may have an app's keys: from the measured manifest, and the guest's own configuration. */
export interface SnpScope {
  readonly chainId: number;
  readonly ledger: Address;
  readonly leaseSigners: readonly Address[];
}

/**
 * Keys that the AMD security processor derives for one chip and one OS image. Nothing of the app enters its key (HOST_DATA
 * does not), and a host may start the same image for any app, with a manifest and a relayer of its own. So keys are of the
 * lease signers that the manifest names, and a guest asks for one only under a lease of theirs: with other signers it gets
 * other keys, and these signers lease to what the chain allows and nothing else. Whoever signs leases for an app can
 * therefore, together with the machine's operator, have its keys (SECURITY.md).
 */
export class SnpKeys implements KeySource {
  readonly name = "snp";
  readonly isShared = false;
  readonly #scope: SnpScope;
  readonly #options: SnpguestOptions;

  constructor(scope: SnpScope, options: SnpguestOptions) {
    this.#scope = scope;
    this.#options = options;
  }

  /** @throws CharterError `keys/…` as `snpDerivedKey`. */
  async key(app: Address, use: KeyUse): Promise<Uint8Array> {
    const root = await snpDerivedKey(this.#options);
    const scoped = new Uint8Array(hkdfSync("sha256", root, scopeDigest(this.#scope), "charter-snp-v1", 32));
    root.fill(0);
    const key = deriveAppKey(scoped, app, use);
    scoped.fill(0);
    return key;
  }
}

/** SHA-256 over chain id, ledger and the set of signers: in whatever order a manifest names them, it is the same. */
function scopeDigest({ chainId, ledger, leaseSigners }: SnpScope): Buffer {
  const signers = [...new Set(leaseSigners.map((signer) => signer.toLowerCase()))].sort();
  return createHash("sha256")
    .update(JSON.stringify([chainId, ledger.toLowerCase(), signers]))
    .digest();
}
