import type { PrivateKeyAccount } from "viem/accounts";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { openKeystore } from "../outbox/signers/keystore.ts";
import { remoteAccount } from "./remoteAccount.ts";

/** Who signs leases, sessions or verdicts: all that is asked of it is typed data. */
export type SigningAccount = Pick<PrivateKeyAccount, "address" | "signTypedData">;

interface Variables {
  /** Made inside of this instance. */
  readonly attested: PrivateKeyAccount | undefined;
  /** Common beginning of the variables' names, for what is said of them. */
  readonly prefix: "CHARTER_LEASE" | "CHARTER_SIGNER";
  /** The variable that asks for an attested key. */
  readonly signer: "CHARTER_LEASE_SIGNER" | "CHARTER_COMMITTEE_SIGNER";
  readonly key: PrivateKeyAccount | undefined;
  readonly keystore: string | undefined;
  readonly passwordFile: string | undefined;
  readonly url: string | undefined;
  readonly address: Address | undefined;
}

/**
 * Exactly one of an attested key, a key in the environment, an encrypted account's file, a remote signer.
 * @throws CharterError `config/signer`, `config/keystore`.
 */
export function readSigningAccount(variables: Variables): SigningAccount {
  const { prefix, signer, attested, key, keystore, passwordFile, url, address } = variables;
  const given = [attested, key, keystore, url].filter((each) => each !== undefined).length;
  if (given !== 1) {
    throw new CharterError(
      "config/signer",
      `expected exactly one of ${signer}, ${prefix}_KEY, ${prefix}_KEYSTORE and ${prefix}_URL`,
      { actual: given },
    );
  }
  if ((keystore === undefined) !== (passwordFile === undefined)) {
    throw new CharterError("config/signer", `${prefix}_KEYSTORE and ${prefix}_PASSWORD_FILE belong together`);
  }
  if ((url === undefined) !== (address === undefined)) {
    throw new CharterError("config/signer", `${prefix}_URL and ${prefix}_ADDRESS belong together`);
  }
  const local = attested ?? key;
  if (local !== undefined) return local;
  if (keystore !== undefined && passwordFile !== undefined) return openKeystore(keystore, passwordFile);
  return remoteAccount({ url: url as string, address: address as Address });
}
