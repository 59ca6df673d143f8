import type { Command } from "commander";

import { governorAbi } from "../../protocol/abi/governor.ts";
import { votesAbi } from "../../protocol/abi/votes.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { describeCall } from "../support/governance/describeCall.ts";
import { bindingOf } from "../support/governance/description.ts";
import { governorOf } from "../support/governance/governorOf.ts";
import { proposalArgs, requireProposal, type Proposal } from "../support/governance/proposals.ts";
import { descriptionMismatch, isTold, reviewReleases } from "../support/governance/review.ts";
import { votesText } from "../support/governance/votesText.ts";
import { timeText } from "../support/output.ts";
import { standingText } from "../support/provenance/standing.ts";
import { send } from "../support/send.ts";
import { addressOption, proposalOption, supportOption } from "../support/values.ts";
import { addDaoShowCommands } from "./daoShow.ts";
import { addProposeOptions, proposeRelease, type ProposeOptions } from "./releasePropose.ts";

const FOR = 1;

/** `charter dao …`: a Governor's proposals, from the address book's Governor unless --governor names another. */
export function addDaoCommands(program: Command): void {
  const dao = program.command("dao").description("decisions of a Governor and its Timelock");
  addProposeOptions(
    dao
      .command("propose-release")
      .description("publish a manifest and its note, and propose to vote on it as the next release"),
  ).action((app: Address, options: ProposeOptions, command: Command) => {
    const context = contextOf(command);
    return proposeRelease({ ...context, governor: () => governorOf(context) }, app, options);
  });
  addVoteCommand(dao);
  addSteps(dao);
  addDaoShowCommands(dao);
  dao
    .command("delegate")
    .description(
      "let an account vote with this account's tokens: also one's own votes count only once delegated",
    )
    .argument("<account>", "address", addressOption)
    .action(async (delegatee: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const governor = governorOf(context);
      const votes = await client.readContract({ address: governor, abi: governorAbi, functionName: "token" });
      const { hash } = await send(context, {
        address: votes.toLowerCase() as Address,
        abi: votesAbi,
        functionName: "delegate",
        args: [delegatee],
      });
      const power = await client.readContract({
        address: votes,
        abi: votesAbi,
        functionName: "getVotes",
        args: [delegatee],
      });
      context.out.result(
        { votes, delegatee, power, transaction: hash },
        `${delegatee} has ${votesText(power)} votes\ntransaction ${hash}`,
      );
    });
}

function addVoteCommand(dao: Command): void {
  dao
    .command("vote")
    .description("vote for, against or abstain")
    .argument("<proposal>", "id", proposalOption)
    .argument("<support>", "for, against or abstain", supportOption)
    .option("--reason <text>", "published with the vote")
    .option(
      "--reviewed",
      "vote for a release that the relayer cannot show, or not as described: you have seen it",
    )
    .action(
      async (
        id: bigint,
        support: number,
        options: { reason?: string; reviewed?: boolean },
        command: Command,
      ) => {
        const context = contextOf(command);
        const proposal = await requireProposal(context, governorOf(context), id);
        if (support === FOR) await requireReviewed(context, proposal, options.reviewed ?? false);
        const { hash } = await send(context, {
          address: proposal.governor,
          abi: governorAbi,
          functionName: options.reason === undefined ? "castVote" : "castVoteWithReason",
          args: options.reason === undefined ? [id, support] : [id, support, options.reason],
        });
        const word = ["against", "for", "abstain"][support] as string;
        context.out.result(
          { proposal: id, support: word, transaction: hash },
          `voted ${word}\ntransaction ${hash}`,
        );
      },
    );
}

/**
 * Nobody votes for calls that their description does not name, nor unawares for code that nobody could look at.
 * @throws CliError `dao/description-mismatch`, `dao/not-reviewed`.
 */
async function requireReviewed(context: Context, proposal: Proposal, reviewed: boolean): Promise<void> {
  if (bindingOf(proposal.description, proposal.calls) === "mismatch") throw descriptionMismatch(proposal);
  const calls = await Promise.all(proposal.calls.map((call) => describeCall(context, call)));
  context.out.note(calls.map(({ text }) => text).join("\n"));
  const reviews = await reviewReleases(context, proposal, calls);
  for (const review of reviews) {
    context.out.note(
      "changes" in review
        ? `${standingText(review.provenance)}\n${review.changes}`
        : `${review.error.message} (${review.error.code})`,
    );
  }
  if (reviewed || reviews.every(isTold)) return;
  throw new CliError(
    ExitCode.Refused,
    "dao/not-reviewed",
    "expected a release whose bytes can be fetched and change what the description tells, or --reviewed",
    { reviews },
  );
}

/** The Governor's own steps: anyone may queue and execute, and its proposer cancel before the vote. */
function addSteps(dao: Command): void {
  for (const [name, description] of [
    ["queue", "hand a proposal that won to the Timelock, whose delay begins"],
    ["execute", "carry out a queued proposal whose delay is over"],
    ["cancel", "take a proposal back before its vote begins (proposer)"],
  ] as const) {
    dao
      .command(name)
      .description(description)
      .argument("<proposal>", "id", proposalOption)
      .action(async (id: bigint, _options: object, command: Command) => {
        const context = contextOf(command);
        const proposal = await requireProposal(context, governorOf(context), id);
        const { hash } = await send(context, {
          address: proposal.governor,
          abi: governorAbi,
          functionName: name,
          args: proposalArgs(proposal),
        });
        const client = await context.client();
        const eta = await client.readContract({
          address: proposal.governor,
          abi: governorAbi,
          functionName: "proposalEta",
          args: [id],
        });
        context.out.result(
          { proposal: id, step: name, eta: Number(eta), transaction: hash },
          `${name} of proposal ${id}` +
            (name === "queue" ? `\ncan be executed from ${timeText(Number(eta))}` : "") +
            `\ntransaction ${hash}`,
        );
      });
  }
}
