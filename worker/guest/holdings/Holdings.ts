import type { PrivateKeyAccount } from "viem/accounts";

import type { RelayerClient } from "../../session/RelayerClient.ts";

/** Whom a guest is, and whom it asks, when it opens what it holds. */
export interface HoldingsTerms {
  readonly account: PrivateKeyAccount;
  readonly relayers: readonly RelayerClient[];
}

/**
 * What an app has beyond its containers: secrets and a volume, both by keys that survive the guest. Nothing of it is open
 * before the first lease, and nothing after the last container.
 */
export interface Holdings {
  /** The key source's name for the measured `key-provider` event; "none" where the app needs none. */
  readonly keyProvider: string;
  /** Resolves when every secret that the manifest names is readable by its services, or the signal is given. */
  openSecrets(terms: HoldingsTerms, signal: AbortSignal): Promise<void>;
  /** Resolves when the volume is open, which is when no other instance has it any more, or the signal is given. */
  openVolume(terms: HoldingsTerms, signal: AbortSignal): Promise<void>;
  /** While containers run: brings newer secrets. Never fails: what is there stays. */
  tend(terms: HoldingsTerms, signal: AbortSignal): Promise<void>;
  /** Wipes secrets, and closes the volume. Harmless when nothing is open. */
  close(): Promise<void>;
}

/** Of an app that asks for nothing. */
export const noHoldings: Holdings = {
  keyProvider: "none",
  openSecrets: () => Promise.resolve(),
  openVolume: () => Promise.resolve(),
  tend: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
