import { recoverAddress } from "viem";

import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import type { ConnectedSafe } from "./connectSafe.ts";
import { withSignature, type SafeFile } from "./safeFile.ts";

export type KitTransaction = Awaited<ReturnType<ConnectedSafe["kit"]["createTransaction"]>>;

/**
 * A file's transaction as Safe's kit has it, with the signatures of today's owners.
 * @throws CliError `safe/hash-mismatch` where the Safe itself computes another hash than we do.
 */
export async function kitTransaction(
  { kit, owners, address }: ConnectedSafe,
  file: SafeFile,
): Promise<KitTransaction> {
  const { to, value, data, operation, ...options } = file.transaction;
  const transaction = await kit.createTransaction({
    transactions: [{ to, value, data, operation }],
    options,
  });
  const actual = await kit.getTransactionHash(transaction);
  if (actual !== file.safeTxHash) {
    throw new CliError(ExitCode.Refused, "safe/hash-mismatch", "the Safe computes another hash than we do", {
      safe: address,
      expected: file.safeTxHash,
      actual,
    });
  }
  const { EthSafeSignature } = await import("@safe-global/protocol-kit");
  for (const [owner, signature] of Object.entries(file.signatures)) {
    if (owners.includes(owner as Address)) transaction.addSignature(new EthSafeSignature(owner, signature));
  }
  return transaction;
}

/** Adds the signature of the account that the Safe was opened with. What was signed is checked to be the file's hash. */
export async function signed(safe: ConnectedSafe, file: SafeFile, owner: Address): Promise<SafeFile> {
  const transaction = await safe.kit.signTransaction(await kitTransaction(safe, file));
  const signature = transaction.getSignature(owner)?.data.toLowerCase() as Hex | undefined;
  const signer = signature && (await recoverAddress({ hash: file.safeTxHash, signature }));
  if (signature === undefined || signer?.toLowerCase() !== owner) {
    throw new CliError(ExitCode.Internal, "cli/internal", "expected a signature of the file's hash", {
      owner,
    });
  }
  return withSignature(file, owner, signature);
}
