import type { Command } from "commander";

import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { approvalsOf, requireOwner, requireUnused } from "../support/safe/approvals.ts";
import { connectSafe } from "../support/safe/connectSafe.ts";
import { executeSafeFile } from "../support/safe/execute.ts";
import { signed } from "../support/safe/kitTransaction.ts";
import { readSafeFile, writeSafeFile, type SafeFile } from "../support/safe/safeFile.ts";
import { fileText } from "../support/safe/text.ts";
import { requireUnderstood, understand } from "../support/safe/understand.ts";

/** `charter safe show|sign|execute`: transactions of a Safe that its owners pass around as files. */
export function addSafeCommands(program: Command): void {
  const safe = program
    .command("safe")
    .description("transactions of a Safe, made with --safe and passed around");
  for (const [name, description, action] of [
    ["show", "what a transaction would do, in words, and who signed it", show],
    ["sign", "sign a transaction into its file, after its words", sign],
    ["execute", "execute a transaction that enough owners signed", execute],
  ] as const) {
    safe
      .command(name)
      .description(description)
      .argument("<file>", "as --safe-tx wrote it")
      .action((path: string, _options: object, command: Command) => action(contextOf(command), path));
  }
}

function read(context: Context, path: string): Promise<SafeFile> {
  const plan = context.safe();
  if (
    plan !== null &&
    (plan.execute || plan.nonce !== null || plan.file !== null || plan.exportTo !== null)
  ) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --safe alone: the file has the rest");
  }
  return readSafeFile(path, { chainId: context.deployment().chainId, safe: plan?.safe ?? null });
}

async function show(context: Context, path: string): Promise<void> {
  const file = await read(context, path);
  const safe = await connectSafe(context, file.safe, null);
  const approvals = await approvalsOf(safe, file);
  const { call, review, text } = await understand(context, file.transaction);
  context.out.result(
    { ...file, ...approvals, threshold: safe.threshold, nextNonce: safe.nonce, call, review },
    `${fileText(safe, file, approvals)}\n\n${text}`,
  );
}

async function sign(context: Context, path: string): Promise<void> {
  const file = await read(context, path);
  const { wallet, account } = await context.wallet();
  const owner = account.address.toLowerCase() as Address;
  const safe = await connectSafe(context, file.safe, { wallet, account });
  requireOwner(safe, owner);
  requireUnused(safe, file);
  const understood = await understand(context, file.transaction);
  requireUnderstood(understood);
  context.out.note(understood.text);
  const next = await signed(safe, file, owner);
  writeSafeFile(path, next);
  const approvals = await approvalsOf(safe, next);
  context.out.result({ file: path, ...next, ...approvals }, fileText(safe, next, approvals));
}

async function execute(context: Context, path: string): Promise<void> {
  const file = await read(context, path);
  const { wallet, account } = await context.wallet();
  const safe = await connectSafe(context, file.safe, { wallet, account });
  const { hash } = await executeSafeFile(context, safe, file);
  context.out.result(
    { safe: safe.address, safeTxHash: file.safeTxHash, transaction: hash },
    `executed ${file.safeTxHash}\ntransaction ${hash}`,
  );
}
