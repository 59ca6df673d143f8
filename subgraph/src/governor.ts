import { Address, BigInt, Bytes, crypto, ethereum } from "@graphprotocol/graph-ts";

import {
  ProposalCanceled,
  ProposalCreated,
  ProposalExecuted,
  ProposalQueued,
  VoteCast,
  VoteCastWithParams,
} from "../generated/CharterGovernor/CharterGovernor";
import { App, Proposal, TimelockOperation, Vote } from "../generated/schema";
import { logId, toBytesArray } from "./ids";

const AGAINST = 0;
const FOR = 1;
const ABSTAIN = 2;

export function handleProposalCreated(event: ProposalCreated): void {
  const params = event.params;
  const proposal = new Proposal(params.proposalId.toString());
  proposal.governor = event.address;
  proposal.proposer = params.proposer;
  proposal.targets = toBytesArray(params.targets);
  proposal.values = params.values;
  proposal.calldatas = params.calldatas;
  proposal.description = params.description;
  proposal.apps = appsAmong(params.targets);
  proposal.voteStart = params.voteStart;
  proposal.voteEnd = params.voteEnd;
  proposal.forVotes = BigInt.zero();
  proposal.againstVotes = BigInt.zero();
  proposal.abstainVotes = BigInt.zero();
  // Reads as null until there is one.
  proposal.operation = operationId(event);
  proposal.createdAt = event.block.timestamp;
  proposal.createdBlock = event.block.number;
  proposal.createdTransaction = event.transaction.hash;
  proposal.save();
}

/** The Timelock's events of the same calls came before this one. */
export function handleProposalQueued(event: ProposalQueued): void {
  const proposal = Proposal.load(event.params.proposalId.toString());
  if (!proposal) return;
  proposal.queuedEta = event.params.etaSeconds;
  proposal.save();
  const operation = TimelockOperation.load(proposal.operation!);
  if (!operation) return;
  operation.proposal = proposal.id;
  operation.save();
}

export function handleProposalExecuted(event: ProposalExecuted): void {
  const proposal = Proposal.load(event.params.proposalId.toString());
  if (!proposal) return;
  proposal.executedAt = event.block.timestamp;
  proposal.save();
}

export function handleProposalCanceled(event: ProposalCanceled): void {
  const proposal = Proposal.load(event.params.proposalId.toString());
  if (!proposal) return;
  proposal.cancelledAt = event.block.timestamp;
  proposal.save();
}

export function handleVoteCast(event: VoteCast): void {
  const params = event.params;
  record(event, params.proposalId, params.voter, params.support, params.weight, params.reason, new Bytes(0));
}

/** The Governor emits this one instead of VoteCast when there are params. */
export function handleVoteCastWithParams(event: VoteCastWithParams): void {
  const params = event.params;
  record(event, params.proposalId, params.voter, params.support, params.weight, params.reason, params.params);
}

// ---------------------------------------------------------------- parts

function record(
  event: ethereum.Event,
  proposalId: BigInt,
  voter: Address,
  support: i32,
  weight: BigInt,
  reason: string,
  voteParams: Bytes,
): void {
  const proposal = Proposal.load(proposalId.toString());
  if (!proposal) return;
  if (support == AGAINST) proposal.againstVotes = proposal.againstVotes.plus(weight);
  else if (support == FOR) proposal.forVotes = proposal.forVotes.plus(weight);
  else if (support == ABSTAIN) proposal.abstainVotes = proposal.abstainVotes.plus(weight);
  proposal.save();

  const vote = new Vote(logId(event));
  vote.proposal = proposal.id;
  vote.voter = voter;
  vote.support = support;
  vote.weight = weight;
  vote.reason = reason;
  vote.params = voteParams;
  vote.timestamp = event.block.timestamp;
  vote.block = event.block.number;
  vote.transaction = event.transaction.hash;
  vote.save();
}

/** Each app once, however often it is called. */
function appsAmong(targets: Address[]): Bytes[] {
  const apps: Bytes[] = [];
  for (let i = 0; i < targets.length; i++) {
    if (!apps.includes(targets[i]) && App.load(targets[i])) apps.push(targets[i]);
  }
  return apps;
}

/**
 * Under which id the Timelock will know a proposal's calls: `hashOperationBatch` with no predecessor and the Governor's
 * salt, its address as bytes20 xor the description's hash (OpenZeppelin GovernorTimelockControl). From the event: the
 * store drops characters that Postgres cannot hold.
 */
function operationId(event: ProposalCreated): Bytes {
  const salt = Bytes.fromUint8Array(crypto.keccak256(Bytes.fromUTF8(event.params.description)));
  for (let i = 0; i < event.address.length; i++) salt[i] ^= event.address[i];
  const args = new ethereum.Tuple();
  args.push(ethereum.Value.fromAddressArray(event.params.targets));
  args.push(ethereum.Value.fromUnsignedBigIntArray(event.params.values));
  args.push(ethereum.Value.fromBytesArray(event.params.calldatas));
  args.push(ethereum.Value.fromFixedBytes(new Bytes(32)));
  args.push(ethereum.Value.fromFixedBytes(salt));
  // A tuple by itself stands behind an offset of one word; a function's arguments do not.
  const encoded = ethereum.encode(ethereum.Value.fromTuple(args))!;
  return Bytes.fromByteArray(crypto.keccak256(Bytes.fromUint8Array(encoded.subarray(32))));
}
