import { BaseError, getContractError, parseAbi, parseEventLogs, type PublicClient } from "viem";

import { appAbi } from "../../../protocol/abi/app.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { ERRORS, type Sent } from "../send.ts";
import { approvalsOf, requireUnused } from "./approvals.ts";
import type { ConnectedSafe } from "./connectSafe.ts";
import { kitTransaction } from "./kitTransaction.ts";
import type { SafeFile } from "./safeFile.ts";

const safeAbi = parseAbi(["event ExecutionSuccess(bytes32 indexed txHash, uint256 payment)"]);

/**
 * Executes a transaction that enough owners agreed to. What the contract would refuse is refused before, with its own
 * error: a Safe says no more than GS013.
 * @throws CliError `safe/too-few-signatures`, `safe/nonce-used`, `safe/nonce-not-next`, `chain/refused`.
 */
export async function executeSafeFile(context: Context, safe: ConnectedSafe, file: SafeFile): Promise<Sent> {
  const client = await context.client();
  requireUnused(safe, file);
  const { signed, approved, missing, isEnough } = await approvalsOf(safe, file);
  if (!isEnough) {
    throw new CliError(ExitCode.Refused, "safe/too-few-signatures", "expected more owners to sign", {
      expected: safe.threshold,
      actual: signed.length + approved.length,
      missing,
    });
  }
  if (file.transaction.nonce !== safe.nonce) {
    throw new CliError(ExitCode.Refused, "safe/nonce-not-next", "other transactions of the Safe come first", {
      expected: safe.nonce,
      actual: file.transaction.nonce,
    });
  }
  await requireAccepted(client, safe.address, file.transaction);
  const { hash } = await safe.kit.executeTransaction(await kitTransaction(safe, file));
  const receipt = await client.waitForTransactionReceipt({ hash: hash as Hex, pollingInterval: 250 });
  const done = parseEventLogs({ abi: safeAbi, logs: receipt.logs }).some(
    (log) => log.address.toLowerCase() === safe.address && log.args.txHash === file.safeTxHash,
  );
  if (receipt.status !== "success" || !done) {
    throw new CliError(ExitCode.Refused, "chain/refused", "the transaction was included but not executed", {
      hash,
    });
  }
  return { hash: hash as Hex, receipt };
}

/** Would the contract accept this call from the Safe now? @throws viem's error with the contract's own inside. */
export async function requireAccepted(
  client: PublicClient,
  safe: Address,
  { to, data }: { readonly to: Address; readonly data: Hex },
): Promise<void> {
  try {
    await client.call({ account: safe, to, data });
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const refusal: Error = getContractError(error, {
      abi: [...appAbi, ...ERRORS],
      address: to,
      args: [],
      functionName: "a call",
    });
    throw refusal;
  }
}
