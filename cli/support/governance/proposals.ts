import { encodeAbiParameters, keccak256, parseEventLogs, stringToBytes } from "viem";

import { governorAbi } from "../../../protocol/abi/governor.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { readLogs } from "../chainState.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import type { RawCall } from "./calls.ts";

/** IGovernor.ProposalState, by its numbers. */
export const PROPOSAL_STATES = [
  "Pending",
  "Active",
  "Canceled",
  "Defeated",
  "Succeeded",
  "Queued",
  "Expired",
  "Executed",
] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** A proposal as its ProposalCreated event says. Times are unix seconds. */
export interface Proposal {
  readonly id: bigint;
  readonly governor: Address;
  readonly proposer: Address;
  readonly calls: readonly RawCall[];
  readonly description: string;
  readonly voteStart: number;
  readonly voteEnd: number;
}

/** What the Governor's functions take in place of an id. */
export const proposalArgs = ({
  calls,
  description,
}: Pick<Proposal, "calls" | "description">): readonly [Address[], bigint[], Hex[], Bytes32] => [
  calls.map(({ to }) => to),
  calls.map(({ value }) => value),
  calls.map(({ data }) => data),
  keccak256(stringToBytes(description)) as Bytes32,
];

/** The id that calls and description give (OpenZeppelin Governor, `hashProposal`). */
export const proposalId = (proposal: Pick<Proposal, "calls" | "description">): bigint =>
  BigInt(
    keccak256(
      encodeAbiParameters(
        [{ type: "address[]" }, { type: "uint256[]" }, { type: "bytes[]" }, { type: "bytes32" }],
        proposalArgs(proposal),
      ),
    ),
  );

/**
 * Every proposal to a Governor since this deployment's first block, oldest first.
 * @throws CliError `dao/clock-unsupported` for a Governor whose times are block numbers.
 */
export async function readProposals(context: Context, governor: Address): Promise<Proposal[]> {
  const client = await context.client();
  const clock = await client.readContract({
    address: governor,
    abi: governorAbi,
    functionName: "CLOCK_MODE",
  });
  if (clock !== "mode=timestamp") {
    throw new CliError(
      ExitCode.Usage,
      "dao/clock-unsupported",
      "expected a Governor that counts in seconds",
      {
        governor,
        clock,
      },
    );
  }
  const from = BigInt(context.deployment().startBlock);
  const logs = await readLogs(client, [governor], from, await client.getBlockNumber());
  return parseEventLogs({ abi: governorAbi, eventName: "ProposalCreated", logs }).map(({ args }) => ({
    id: args.proposalId,
    governor,
    proposer: args.proposer.toLowerCase() as Address,
    calls: args.targets.map((target, i) => ({
      to: target.toLowerCase() as Address,
      value: args.values[i] ?? 0n,
      data: args.calldatas[i] ?? "0x",
    })),
    description: args.description,
    voteStart: Number(args.voteStart),
    voteEnd: Number(args.voteEnd),
  }));
}

/**
 * One proposal, whose calls and description give its id: what is shown is what is voted on.
 * @throws CliError `dao/unknown-proposal`, `dao/wrong-id`.
 */
export async function requireProposal(context: Context, governor: Address, id: bigint): Promise<Proposal> {
  const found = (await readProposals(context, governor)).find((proposal) => proposal.id === id);
  if (!found) {
    throw new CliError(ExitCode.Refused, "dao/unknown-proposal", "expected a proposal of this Governor", {
      governor,
      proposal: id.toString(),
    });
  }
  if (proposalId(found) !== id) {
    throw new CliError(
      ExitCode.Refused,
      "dao/wrong-id",
      "calls and description as the node tells them give another proposal id",
      { expected: id.toString(), actual: proposalId(found).toString() },
    );
  }
  return found;
}
