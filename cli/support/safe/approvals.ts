import type { Address } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import type { ConnectedSafe } from "./connectSafe.ts";
import type { SafeFile } from "./safeFile.ts";

/** Who of today's owners agrees to a transaction, and how. */
export interface Approvals {
  /** By a signature in the file. */
  readonly signed: readonly Address[];
  /** By a transaction of their own (`approveHash`), as owners that are contracts do. */
  readonly approved: readonly Address[];
  readonly missing: readonly Address[];
  readonly isEnough: boolean;
}

/** Counts today's owners only: a signature of somebody who was one is worth nothing. */
export async function approvalsOf(
  { kit, owners, threshold }: ConnectedSafe,
  file: SafeFile,
): Promise<Approvals> {
  const onChain = (await kit.getOwnersWhoApprovedTx(file.safeTxHash)).map((owner) => owner.toLowerCase());
  const signed = owners.filter((owner) => owner in file.signatures);
  const approved = owners.filter((owner) => !signed.includes(owner) && onChain.includes(owner));
  const missing = owners.filter((owner) => !signed.includes(owner) && !approved.includes(owner));
  return { signed, approved, missing, isEnough: signed.length + approved.length >= threshold };
}

/** @throws CliError `safe/nonce-used`. */
export function requireUnused({ address, nonce }: ConnectedSafe, file: SafeFile): void {
  if (file.transaction.nonce >= nonce) return;
  throw new CliError(
    ExitCode.Refused,
    "safe/nonce-used",
    "the Safe has executed another transaction in its place",
    {
      safe: address,
      expected: nonce,
      actual: file.transaction.nonce,
    },
  );
}

/** @throws CliError `safe/not-an-owner`. */
export function requireOwner({ address, owners }: ConnectedSafe, signer: Address): void {
  if (owners.includes(signer)) return;
  throw new CliError(ExitCode.Refused, "safe/not-an-owner", "expected the key of one of the Safe's owners", {
    safe: address,
    signer,
    owners,
  });
}
