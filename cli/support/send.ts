import type { Abi, Hex, TransactionReceipt } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../protocol/abi/dcapVerifier.ts";
import { endorsementsAbi } from "../../protocol/abi/endorsements.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { timelockAbi } from "../../protocol/abi/timelock.ts";
import { votesAbi } from "../../protocol/abi/votes.ts";
import { zkVerifierAbi } from "../../protocol/abi/zkVerifier.ts";
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

/** A call may end with the error of a contract that it goes through (registry, Timelock, verifier), so each can decode all. */
export const ERRORS: Abi = [
  ...appAbi,
  ...appRegistryAbi,
  ...timelockAbi,
  ...votesAbi,
  ...nodeRegistryAbi,
  ...endorsementsAbi,
  ...attestationLedgerAbi,
  ...committeeVerifierAbi,
  ...dcapVerifierAbi,
  ...dcapCollateralAbi,
  ...zkVerifierAbi,
].filter(({ type }) => type === "error");

/** A transaction that was included, and succeeded. */
export interface Sent {
  readonly hash: Hex;
  readonly receipt: TransactionReceipt;
}

/** Simulates, sends and waits for one call: a refusal is known, with its typed error, before anything is spent. */
export async function send(context: Context, call: Call): Promise<Sent> {
  if (context.safe() !== null) {
    throw new CliError(
      ExitCode.Usage,
      "safe/not-an-owners-action",
      "expected an action of an app's owner beside --safe: this one is of the signing account itself",
      { functionName: call.functionName },
    );
  }
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
