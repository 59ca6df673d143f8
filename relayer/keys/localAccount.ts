import { privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { fromHex } from "../../protocol/words/hex.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import { signDigest } from "./secp256k1.ts";
import { typedDataDigest } from "./typedDataDigest.ts";

/**
 * viem's account of a private key, whose hashes and typed data libsecp256k1 signs: the same signatures, sooner.
 * @throws viem's error for a key that is none of the curve's.
 */
export function localAccount(privateKey: Hex): PrivateKeyAccount {
  const account = privateKeyToAccount(privateKey);
  const key = fromHex(privateKey);
  return {
    ...account,
    sign: async ({ hash }) => signDigest(fromHex(hash), key),
    signTypedData: async (definition) => signDigest(fromHex(typedDataDigest(definition)), key),
  };
}
