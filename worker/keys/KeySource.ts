import type { Address } from "../../protocol/words/hex.ts";

/**
 * What survives the guest (DESIGN section 7): keys that the same app gets again after a restart or an upgrade (on
 * another machine, too, where the source is shared), and no other app ever does. Asked for under a lease only.
 */
export interface KeySource {
  /** For people and the measured `key-provider` event. */
  readonly name: "dstack" | "snp" | "simulator";
  /** Whether a replica on another machine gets the same keys. */
  readonly isShared: boolean;
  /** 32 secret bytes of this app for one purpose. */
  key(app: Address, purpose: KeyUse): Promise<Uint8Array>;
}

/** What keys of an app are for. Keys of different uses tell nothing of each other. */
export type KeyUse = "hpke" | "volume";
