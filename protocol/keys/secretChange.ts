import { recoverTypedDataAddress } from "viem";

import type { Address, Bytes32, Hex } from "../words/hex.ts";

/** Digest of a change that takes a secret away. */
export const REMOVED = `0x${"00".repeat(32)}` as Bytes32;

/**
 * Who may set secrets (the manifest's `secret_signers`) says so of each: an envelope alone could be anybody's, since
 * everybody knows the app's public key.
 */
export interface SecretChange {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly name: string;
  /** Rises with every change of this name: the highest counts. */
  readonly counter: number;
  /** SHA-256 of the envelope's bytes, or `REMOVED`. */
  readonly digest: Bytes32;
}

export const secretChangeTypes = {
  SecretChange: [
    { name: "app", type: "address" },
    { name: "name", type: "string" },
    { name: "counter", type: "uint64" },
    { name: "digest", type: "bytes32" },
  ],
} as const;

/** The signed message, as viem takes it. */
export interface SecretChangeTypedData {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: Address;
  };
  readonly types: typeof secretChangeTypes;
  readonly primaryType: "SecretChange";
  readonly message: {
    readonly app: Address;
    readonly name: string;
    readonly counter: bigint;
    readonly digest: Bytes32;
  };
}

/** What a secret signer signs. */
export const secretChangeTypedData = (change: SecretChange): SecretChangeTypedData => ({
  domain: {
    name: "Charter Secret",
    version: "1",
    chainId: change.chainId,
    verifyingContract: change.ledger,
  },
  types: secretChangeTypes,
  primaryType: "SecretChange",
  message: { app: change.app, name: change.name, counter: BigInt(change.counter), digest: change.digest },
});

/** Who signed a change; null where the signature is none. */
export async function recoverSecretSigner(change: SecretChange, signature: Hex): Promise<Address | null> {
  try {
    const signer = await recoverTypedDataAddress({ ...secretChangeTypedData(change), signature });
    return signer.toLowerCase() as Address;
  } catch {
    return null;
  }
}
