import type { Command } from "commander";
import type { PublicClient } from "viem";

import { governorAbi } from "../../protocol/abi/governor.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { describeCall, type DescribedCall } from "../support/governance/describeCall.ts";
import { bindingOf, titleOf, type Binding } from "../support/governance/description.ts";
import { governorOf } from "../support/governance/governorOf.ts";
import {
  PROPOSAL_STATES,
  readProposals,
  requireProposal,
  type Proposal,
  type ProposalState,
} from "../support/governance/proposals.ts";
import {
  descriptionMismatch,
  isTold,
  reviewReleases,
  type NoReview,
  type Review,
} from "../support/governance/review.ts";
import { votesText } from "../support/governance/votesText.ts";
import { table, timeText } from "../support/output.ts";
import { standingText } from "../support/provenance/standing.ts";
import { proposalOption } from "../support/values.ts";

/** `charter dao show|list`: everything from the Governor's events and views, nothing from an indexer. */
export function addDaoShowCommands(dao: Command): void {
  dao
    .command("show")
    .description("a proposal: state, votes, its calls in words, and whether its description names them")
    .argument("<proposal>", "id", proposalOption)
    .action(async (id: bigint, _options: object, command: Command) => {
      const context = contextOf(command);
      const proposal = await requireProposal(context, governorOf(context), id);
      const standing = await standingOf(await context.client(), proposal);
      const calls = await Promise.all(proposal.calls.map((call) => describeCall(context, call)));
      const binding = bindingOf(proposal.description, proposal.calls);
      const reviews = await reviewReleases(context, proposal, calls);
      const title = titleOf(proposal.description);
      context.out.result(
        { ...proposal, title, ...standing, calls, binding, reviews },
        showText(proposal, standing, calls, binding, reviews),
      );
      if (binding === "mismatch") throw descriptionMismatch(proposal);
      if (reviews.some((review) => "told" in review && !isTold(review))) {
        throw new CliError(
          ExitCode.Refused,
          "dao/changes-differ",
          "the description does not tell what changes: judge by the changes above, not by its text",
          { proposal: id.toString() },
        );
      }
    });
  dao
    .command("list")
    .description("every proposal since this deployment's first block")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const governor = governorOf(context);
      const proposals = await Promise.all(
        (await readProposals(context, governor)).map(async (proposal) => ({
          ...proposal,
          title: titleOf(proposal.description),
          binding: bindingOf(proposal.description, proposal.calls),
          ...(await standingOf(client, proposal)),
        })),
      );
      const rows = proposals.map(({ id, state, title, binding, votes, voteEnd }) => [
        String(id),
        state,
        binding === "mismatch" ? `NOT AS DESCRIBED: ${title}` : title,
        `${votesText(votes.for)} / ${votesText(votes.against)} / ${votesText(votes.abstain)}`,
        timeText(voteEnd),
      ]);
      context.out.result(
        { governor, proposals },
        table(["proposal", "state", "title", "for / against / abstain", "vote ends"], rows),
      );
    });
}

/** How a proposal stands now. Votes are in the token's smallest unit. */
interface Standing {
  readonly state: ProposalState;
  readonly votes: { readonly for: bigint; readonly against: bigint; readonly abstain: bigint };
  /** Votes for and abstaining that are needed; null until the vote begins, for it is a share of the supply of then. */
  readonly quorum: bigint | null;
  /** From when it can be executed; null until queued. */
  readonly eta: number | null;
}

async function standingOf(client: PublicClient, { governor, id, voteStart }: Proposal): Promise<Standing> {
  const contract = { address: governor, abi: governorAbi } as const;
  const [state, [against, inFavour, abstain], eta, clock] = await Promise.all([
    client.readContract({ ...contract, functionName: "state", args: [id] }),
    client.readContract({ ...contract, functionName: "proposalVotes", args: [id] }),
    client.readContract({ ...contract, functionName: "proposalEta", args: [id] }),
    client.readContract({ ...contract, functionName: "clock" }),
  ]);
  const hasBegun = clock > voteStart;
  return {
    state: PROPOSAL_STATES[state] as ProposalState,
    votes: { for: inFavour, against, abstain },
    quorum: hasBegun
      ? await client.readContract({ ...contract, functionName: "quorum", args: [BigInt(voteStart)] })
      : null,
    eta: eta === 0n ? null : Number(eta),
  };
}

function showText(
  proposal: Proposal,
  { state, votes, quorum, eta }: Standing,
  calls: readonly DescribedCall[],
  binding: Binding,
  reviews: readonly (Review | NoReview)[],
): string {
  const warnings = [
    ...(binding === "mismatch"
      ? ["!!! THE DESCRIPTION NAMES OTHER CALLS THAN THOSE THAT WOULD BE EXECUTED !!!"]
      : []),
    ...(reviews.some((review) => "told" in review && !review.told)
      ? ["!!! THE DESCRIPTION DOES NOT TELL WHAT THE RELEASE CHANGES !!!"]
      : []),
  ];
  const digests = { bound: "match the calls", silent: "none in the description", mismatch: "DO NOT MATCH" };
  return [
    ...warnings,
    `proposal    ${proposal.id}`,
    `title       ${titleOf(proposal.description)}`,
    `proposer    ${proposal.proposer}`,
    `state       ${state}`,
    `vote        ${timeText(proposal.voteStart)} to ${timeText(proposal.voteEnd)}`,
    `for         ${votesText(votes.for)}`,
    `against     ${votesText(votes.against)}`,
    `abstain     ${votesText(votes.abstain)}`,
    `quorum      ${quorum === null ? "known when the vote begins" : quorumText(votes.for + votes.abstain, quorum)}`,
    `executable  ${eta === null ? "not queued" : `from ${timeText(eta)}`}`,
    `digests     ${digests[binding]}`,
    "",
    ...calls.map(({ text }, i) => `call ${i + 1}: ${text}`),
    ...reviews.flatMap((review) => ["", reviewText(review)]),
    "",
    proposal.description,
    ...warnings,
  ].join("\n");
}

const reviewText = (review: Review | NoReview): string =>
  "error" in review
    ? `changes of ${review.app}: not computed (${review.error.code}: ${review.error.message})`
    : `changes of ${review.app}, computed from the bytes${review.told ? ", as the description tells" : ""}:\n` +
      `${standingText(review.provenance)}\n${review.changes}`.replaceAll(/^/gm, "  ");

const quorumText = (counted: bigint, quorum: bigint): string =>
  `${votesText(quorum)} (${counted >= quorum ? "reached" : "not reached"})`;
