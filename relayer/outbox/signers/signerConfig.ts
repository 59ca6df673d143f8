import type { PrivateKeyAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { TransactionSigner } from "../seams.ts";
import { openKeystore } from "./keystore.ts";
import { localSigner } from "./localSigner.ts";
import { remoteSigner } from "./remoteSigner.ts";

interface Variables {
  /** Made inside of this instance. */
  readonly attested: PrivateKeyAccount | undefined;
  readonly key: PrivateKeyAccount | undefined;
  readonly keystore: string | undefined;
  readonly passwordFile: string | undefined;
  readonly url: string | undefined;
  readonly address: Address | undefined;
}

/**
 * Who pays for and signs transactions: exactly one of an attested key, a key in the environment, an encrypted account's
 * file, a remote signer. @throws CharterError `config/outbox-signer`, `config/keystore`.
 */
export function readOutboxSigner({
  attested,
  key,
  keystore,
  passwordFile,
  url,
  address,
}: Variables): TransactionSigner {
  const given = [attested, key, keystore, url].filter((each) => each !== undefined).length;
  if (given !== 1) {
    throw new CharterError(
      "config/outbox-signer",
      "expected exactly one of CHARTER_OUTBOX_SIGNER, CHARTER_OUTBOX_KEY, CHARTER_OUTBOX_KEYSTORE and CHARTER_OUTBOX_SIGNER_URL",
      { actual: given },
    );
  }
  if ((keystore === undefined) !== (passwordFile === undefined)) {
    throw new CharterError(
      "config/outbox-signer",
      "CHARTER_OUTBOX_KEYSTORE and CHARTER_OUTBOX_PASSWORD_FILE belong together",
    );
  }
  if ((url === undefined) !== (address === undefined)) {
    throw new CharterError(
      "config/outbox-signer",
      "CHARTER_OUTBOX_SIGNER_URL and CHARTER_OUTBOX_ADDRESS belong together",
    );
  }
  const local = attested ?? key;
  if (local !== undefined) return localSigner(local);
  if (keystore !== undefined && passwordFile !== undefined)
    return localSigner(openKeystore(keystore, passwordFile));
  return remoteSigner({ url: url as string, address: address as Address });
}
