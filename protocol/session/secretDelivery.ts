import { recoverTypedDataAddress } from "viem";

import { keccak256 } from "../crypto/keccak.ts";
import type { Address, Bytes32, Hex } from "../words/hex.ts";
import { leaseDomain } from "./domains.ts";
import type { StoredSecret } from "./secretMessages.ts";

/** An app's secrets as one relayer has them, for one instance's question. */
export interface SecretDelivery {
  readonly app: Address;
  /** Of the instance that asked, over this nonce. */
  readonly key: Address;
  readonly nonce: Bytes32;
  readonly secrets: readonly Pick<StoredSecret, "name" | "counter" | "digest">[];
}

const deliveryTypes = {
  SecretDelivery: [
    { name: "app", type: "address" },
    { name: "key", type: "address" },
    { name: "nonce", type: "bytes32" },
    { name: "secrets", type: "bytes32" },
  ],
} as const;

/**
 * What the relayer's lease signer signs (EIP-712), in the domain of leases. Each secret is its setter's word already; this
 * says that they are those of now: whoever stands between could give older ones to an instance that starts.
 */
export const deliveryTypedData = (
  chainId: number,
  ledger: Address,
  { app, key, nonce, secrets }: SecretDelivery,
) =>
  ({
    domain: leaseDomain(chainId, ledger),
    types: deliveryTypes,
    primaryType: "SecretDelivery",
    message: { app, key, nonce, secrets: digestOf(secrets) },
  }) as const;

const digestOf = (secrets: SecretDelivery["secrets"]): Bytes32 =>
  keccak256(
    new TextEncoder().encode(
      JSON.stringify(secrets.map(({ name, counter, digest }) => [name, counter, digest])),
    ),
  );

/** Who signed a delivery; null where the signature is none. */
export async function recoverDeliverySigner(
  chainId: number,
  ledger: Address,
  delivery: SecretDelivery,
  signature: Hex,
): Promise<Address | null> {
  try {
    const typed = deliveryTypedData(chainId, ledger, delivery);
    return (await recoverTypedDataAddress({ ...typed, signature })).toLowerCase() as Address;
  } catch {
    return null;
  }
}
