import { createHash } from "node:crypto";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { recoverSecretSigner, REMOVED } from "../../protocol/keys/secretChange.ts";
import { decodeSecret } from "../../protocol/keys/secretEnvelope.ts";
import type { SecretChangeMessage } from "../../protocol/session/secretMessages.ts";
import { toHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import type { SecretStore } from "../store/secretStore.ts";

export interface SecretAdmission {
  readonly chainId: number;
  readonly ledger: Address;
  readonly store: Pick<SecretStore, "put">;
  /** Who may set secrets, by the manifests of the app's releases. */
  readonly signersOf: (app: Address) => Promise<readonly Address[]>;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * Keeps what a secret signer of the app sealed, or takes it away; answers nothing of it but its digest.
 * @throws (from what it returns) CharterError `secret/digest-mismatch`, `secret/other-label`, `secret/malformed`,
 * `secret/signer-not-named`, `secret/counter-stale`, `secret/too-many`.
 */
export const secretAdmission =
  ({ chainId, ledger, store, signersOf, now }: SecretAdmission) =>
  async (message: SecretChangeMessage): Promise<{ readonly digest: Bytes32 }> => {
    const { app, name, counter, digest, envelope, signature } = message;
    requireEnvelope(chainId, message);
    const signer = await recoverSecretSigner({ chainId, ledger, app, name, counter, digest }, signature);
    const signers = await signersOf(app);
    if (signer === null || !signers.includes(signer)) {
      throw new CharterError(
        "secret/signer-not-named",
        "no release of this app names the signer of this secret",
        {
          expected: signers,
          actual: signer,
        },
      );
    }
    await store.put({ app, name, counter, digest, envelope, signature }, now());
    return { digest };
  };

/** What is signed is what is kept, and its label is the message's own. */
function requireEnvelope(
  chainId: number,
  { app, name, counter, digest, envelope }: SecretChangeMessage,
): void {
  const actual =
    envelope === null ? REMOVED : (toHex(createHash("sha256").update(envelope, "utf8").digest()) as Bytes32);
  if (digest !== actual) {
    throw new CharterError("secret/digest-mismatch", "the envelope has another SHA-256 than was signed", {
      expected: digest,
      actual,
    });
  }
  if (envelope === null) return;
  const label = decodeSecret(new TextEncoder().encode(envelope));
  const expected = { chainId, app, name, counter };
  for (const field of ["chainId", "app", "name", "counter"] as const) {
    if (label[field] === expected[field]) continue;
    throw new CharterError("secret/other-label", "this secret is for something else", {
      field,
      expected: expected[field],
      actual: label[field],
    });
  }
}
