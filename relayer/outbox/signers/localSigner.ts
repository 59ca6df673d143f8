import type { PrivateKeyAccount } from "viem/accounts";

import type { Address } from "../../../protocol/words/hex.ts";
import type { TransactionSigner } from "../seams.ts";

/** A key held in this process: from an encrypted keystore, or for development from the environment. */
export function localSigner(account: PrivateKeyAccount): TransactionSigner {
  return {
    address: account.address.toLowerCase() as Address,
    signTransaction: (transaction) => account.signTransaction(transaction),
  };
}
