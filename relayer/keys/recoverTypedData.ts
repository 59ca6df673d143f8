import type { TypedData, TypedDataDefinition } from "viem";

import { fromHex } from "../../protocol/words/hex.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { recoverSigner } from "./secp256k1.ts";
import { typedDataDigest } from "./typedDataDigest.ts";

/**
 * Who signed this typed data; null where nobody has: it is no signature, or a message that its types cannot hold. The
 * caller compares the answer with the one who should have, so that null is refused like a stranger's.
 */
export function recoverTypedData<
  const Types extends TypedData | Record<string, unknown>,
  Primary extends keyof Types | "EIP712Domain",
>(definition: TypedDataDefinition<Types, Primary>, signature: Hex): Address | null {
  let digest: Uint8Array;
  try {
    digest = fromHex(typedDataDigest(definition));
  } catch {
    return null;
  }
  return recoverSigner(digest, signature);
}
