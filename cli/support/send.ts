import type { Abi, Hex, TransactionReceipt } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

export interface Call {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

/** A call through the registry may end with an app's error, so each call can decode both. */
const ERRORS: Abi = [...appAbi, ...appRegistryAbi].filter(({ type }) => type === "error");

/** Simulates, sends and waits for one call: a refusal is known, with its typed error, before anything is spent. */
export async function send(
  context: Context,
  call: Call,
): Promise<{ hash: Hex; receipt: TransactionReceipt }> {
  const client = await context.client();
  const { wallet, account } = await context.wallet();
  const { request } = await client.simulateContract({ ...call, abi: [...call.abi, ...ERRORS], account });
  const hash = await wallet.writeContract({ ...request, chain: client.chain, account });
  const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 250 });
  if (receipt.status !== "success") {
    throw new CliError(ExitCode.Refused, "chain/refused", "the transaction was included but reverted", {
      hash,
    });
  }
  return { hash, receipt };
}
