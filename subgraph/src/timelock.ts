import { ethereum } from "@graphprotocol/graph-ts";

import {
  CallExecuted,
  CallScheduled,
  Cancelled,
  MinDelayChange,
} from "../generated/CharterTimelock/CharterTimelock";
import { GovernanceEvent, Proposal, TimelockOperation } from "../generated/schema";
import { governanceEvent } from "./governance";
import { logIdAt } from "./ids";

/** One event per call, by index from 0: the first begins the operation, anew if it was cancelled before. */
export function handleCallScheduled(event: CallScheduled): void {
  const params = event.params;
  let operation = TimelockOperation.load(params.id);
  if (!operation || params.index.isZero()) {
    operation = new TimelockOperation(params.id);
    operation.timelock = event.address;
    operation.targets = [];
    operation.values = [];
    operation.calldatas = [];
    operation.predecessor = params.predecessor;
    operation.scheduledAt = event.block.timestamp;
    operation.readyAt = event.block.timestamp.plus(params.delay);
    operation.proposal = null;
    operation.executedAt = null;
    operation.cancelledAt = null;
  }
  operation.targets = operation.targets.concat([params.target]);
  operation.values = operation.values.concat([params.value]);
  operation.calldatas = operation.calldatas.concat([params.data]);
  operation.save();
}

/** Comes after what the call did, and before the Governor's own event where a proposal is executed through it. */
export function handleCallExecuted(event: CallExecuted): void {
  const operation = TimelockOperation.load(event.params.id);
  if (!operation) return;
  operation.executedAt = event.block.timestamp;
  operation.save();
  const proposalId = operation.proposal;
  if (proposalId === null) return;
  // Whoever executes at the Timelock itself executes the proposal, and the Governor says nothing.
  const proposal = Proposal.load(proposalId);
  if (proposal) {
    proposal.executedAt = event.block.timestamp;
    proposal.save();
  }
  attribute(event, proposalId);
}

export function handleCancelled(event: Cancelled): void {
  const operation = TimelockOperation.load(event.params.id);
  if (!operation) return;
  operation.cancelledAt = event.block.timestamp;
  operation.save();
  const proposalId = operation.proposal;
  if (proposalId === null) return;
  const proposal = Proposal.load(proposalId);
  if (!proposal) return;
  proposal.cancelledAt = event.block.timestamp;
  proposal.save();
}

/** Only the Timelock itself may change it. */
export function handleMinDelayChange(event: MinDelayChange): void {
  const entry = governanceEvent(event, "MinDelayChange", event.address);
  entry.oldValue = event.params.oldDuration.toString();
  entry.newValue = event.params.newDuration.toString();
  entry.save();
}

/** Names the proposal in what the Timelock did so far in this transaction and no proposal is named for yet. */
function attribute(event: ethereum.Event, proposal: string): void {
  for (let index = event.logIndex.toI32() - 1; index >= 0; index--) {
    const entry = GovernanceEvent.loadInBlock(logIdAt(event, index));
    if (!entry || entry.proposal !== null || entry.actor.notEqual(event.address)) continue;
    entry.proposal = proposal;
    entry.save();
  }
}
