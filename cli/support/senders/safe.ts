import { encodeFunctionData } from "viem";
import { writeFileSync } from "node:fs";

import type { Address } from "../../../protocol/words/hex.ts";
import type { About } from "../act.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { approvalsOf, requireOwner, requireUnused } from "../safe/approvals.ts";
import { connectSafe, type ConnectedSafe } from "../safe/connectSafe.ts";
import { executeSafeFile, requireAccepted } from "../safe/execute.ts";
import { signed } from "../safe/kitTransaction.ts";
import type { SafePlan } from "../safe/plan.ts";
import { readSafeFile, safeFileExists, writeSafeFile, type SafeFile } from "../safe/safeFile.ts";
import { safeTransaction, safeTxHash } from "../safe/safeTransaction.ts";
import { fileText } from "../safe/text.ts";
import { transactionBatch } from "../safe/transactionBuilder.ts";
import { requireUnderstood, understand } from "../safe/understand.ts";
import type { Call, Sent } from "../send.ts";

/**
 * Makes an action a Safe's transaction: signs it into the file that its owners pass around, or writes it for the
 * Transaction Builder.
 * @returns null unless it was executed; what became of it is then already said.
 */
export async function proposeToSafe(
  context: Context,
  plan: SafePlan,
  call: Call,
  about: About,
): Promise<Sent | null> {
  const { wallet, account } = await context.wallet();
  const owner = account.address.toLowerCase() as Address;
  const safe = await connectSafe(context, plan.safe, { wallet, account });
  if (plan.exportTo !== null) return exportBatch(context, plan.exportTo, { safe, owner, call, about });
  if (plan.file === null) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --safe-tx or --export beside --safe");
  }
  requireOwner(safe, owner);
  const file = await fileFor(context, safe, plan, plan.file, call);
  requireUnused(safe, file);
  const client = await context.client();
  // What stands behind others in the queue may depend on them, and cannot be tried yet.
  if (file.transaction.nonce === safe.nonce) await requireAccepted(client, safe.address, file.transaction);
  const understood = await understand(context, file.transaction);
  requireUnderstood(understood);
  // What a release changes was shown when it was made.
  context.out.note(understood.call.text);
  const next = await signed(safe, file, owner);
  writeSafeFile(plan.file, next);
  if (plan.execute) return executeSafeFile(context, safe, next);
  const approvals = await approvalsOf(safe, next);
  context.out.result({ file: plan.file, ...next, ...approvals }, fileText(safe, next, approvals));
  return null;
}

/** The file at hand where it holds this very call, else a new one. @throws CliError `safe/file-differs`. */
async function fileFor(
  context: Context,
  { address, nonce }: ConnectedSafe,
  plan: SafePlan,
  path: string,
  call: Call,
): Promise<SafeFile> {
  const { chainId } = context.deployment();
  const existing = safeFileExists(path) ? await readSafeFile(path, { chainId, safe: address }) : null;
  const data = encodeFunctionData({ abi: call.abi, functionName: call.functionName, args: call.args });
  const transaction = safeTransaction(
    { to: call.address, value: 0n, data },
    plan.nonce ?? existing?.transaction.nonce ?? nonce,
  );
  const hash = safeTxHash(chainId, address, transaction);
  if (existing === null) return { safe: address, chainId, transaction, safeTxHash: hash, signatures: {} };
  if (existing.safeTxHash === hash) return existing;
  throw new CliError(ExitCode.Refused, "safe/file-differs", "the file already holds another transaction", {
    path,
    expected: hash,
    actual: existing.safeTxHash,
  });
}

interface Exported {
  readonly safe: ConnectedSafe;
  readonly owner: Address;
  readonly call: Call;
  readonly about: About;
}

async function exportBatch(
  context: Context,
  path: string,
  { safe, owner, call, about }: Exported,
): Promise<null> {
  const client = await context.client();
  await requireAccepted(client, safe.address, {
    to: call.address,
    data: encodeFunctionData({ abi: call.abi, functionName: call.functionName, args: call.args }),
  });
  const batch = transactionBatch(call, {
    chainId: context.deployment().chainId,
    safe: safe.address,
    owner,
    name: about.title,
    description: about.text ?? "",
    now: Math.floor(Date.now() / 1000),
  });
  writeFileSync(path, `${JSON.stringify(batch, null, 2)}\n`);
  context.out.result(
    { file: path, safe: safe.address, checksum: batch.meta.checksum },
    `${path} for the Transaction Builder of Safe ${safe.address}\nchecksum ${batch.meta.checksum ?? ""}`,
  );
  return null;
}
