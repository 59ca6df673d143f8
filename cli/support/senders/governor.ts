import { encodeFunctionData, parseEventLogs } from "viem";

import { governorAbi } from "../../../protocol/abi/governor.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import type { About } from "../act.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { bindingOf, proposalDescription } from "../governance/description.ts";
import { timeText } from "../output.ts";
import { ERRORS, send, type Call } from "../send.ts";

/**
 * Makes an action a proposal to a Governor, and says which. What the Timelock could not do today is refused here, with
 * the contract's own error, and not after a vote.
 */
export async function proposeToGovernor(
  context: Context,
  governor: Address,
  call: Call,
  about: About,
): Promise<void> {
  const client = await context.client();
  const { account } = await context.wallet();
  const timelock = await client.readContract({
    address: governor,
    abi: governorAbi,
    functionName: "timelock",
  });
  await client.simulateContract({ ...call, abi: [...call.abi, ...ERRORS], account: timelock });
  const raw = {
    to: call.address,
    value: 0n,
    data: encodeFunctionData({ abi: call.abi, functionName: call.functionName, args: call.args }),
  };
  const description = proposalDescription(about, [raw], account.address.toLowerCase() as Address);
  if (bindingOf(description, [raw]) !== "bound") {
    throw new CliError(
      ExitCode.Usage,
      "dao/description-ambiguous",
      "expected a title and changes that do not look like the section of digests",
      { title: about.title },
    );
  }
  context.out.note(description);
  const { hash, receipt } = await send(context, {
    address: governor,
    abi: governorAbi,
    functionName: "propose",
    args: [[raw.to], [raw.value], [raw.data], description],
  });
  const [created] = parseEventLogs({
    abi: governorAbi,
    eventName: "ProposalCreated",
    logs: receipt.logs.filter((log) => log.address.toLowerCase() === governor),
  });
  if (!created) throw new CliError(ExitCode.Internal, "cli/internal", "expected the event ProposalCreated");
  const { proposalId, voteStart, voteEnd } = created.args;
  context.out.result(
    {
      governor,
      proposal: proposalId,
      target: raw.to,
      calldata: raw.data satisfies Hex,
      description,
      voteStart,
      voteEnd,
      transaction: hash,
    },
    `proposal ${proposalId}\nvotes from ${timeText(Number(voteStart))} to ${timeText(Number(voteEnd))}\n` +
      `transaction ${hash}`,
  );
}
