import { Address, BigInt, Bytes } from "@graphprotocol/graph-ts";

import {
  CommitteeCancelled,
  CommitteeChanged,
  DisputesChanged,
  SignerMarked,
} from "../generated/CommitteeVerifier/CommitteeVerifier";
import { Committee, MarkedSigner } from "../generated/schema";
import { governanceEvent } from "./governance";

/** One committee waits at a time, so a verifier's committees differ by when they take effect. */
function committeeId(verifier: Address, effectiveAt: BigInt): Bytes {
  return verifier.concat(Bytes.fromHexString(effectiveAt.toHex().slice(2).padStart(16, "0")));
}

function describe(threshold: i32, members: Address[]): string {
  let text = threshold.toString() + " of ";
  for (let i = 0; i < members.length; i++) text += (i == 0 ? "" : ",") + members[i].toHexString();
  return text;
}

export function handleCommitteeChanged(event: CommitteeChanged): void {
  const params = event.params;
  const committee = new Committee(committeeId(event.address, params.effectiveAt));
  const members: Bytes[] = [];
  for (let i = 0; i < params.newMembers.length; i++) members.push(params.newMembers[i]);
  committee.verifier = event.address;
  committee.members = members;
  committee.threshold = params.newThreshold;
  committee.effectiveAt = params.effectiveAt;
  committee.expiresAt = params.expiresAt;
  if (params.ledger != Address.zero()) {
    committee.ledger = params.ledger;
    committee.app = params.app;
  }
  committee.save();

  const entry = governanceEvent(event, "CommitteeChanged", params.actor);
  entry.effectiveAt = params.effectiveAt;
  entry.oldValue = describe(params.oldThreshold, params.oldMembers);
  entry.newValue = describe(params.newThreshold, params.newMembers);
  entry.save();
}

export function handleCommitteeCancelled(event: CommitteeCancelled): void {
  const params = event.params;
  const committee = Committee.load(committeeId(event.address, params.effectiveAt));
  if (committee) {
    committee.cancelledAt = event.block.timestamp;
    committee.save();
  }
  const entry = governanceEvent(event, "CommitteeCancelled", params.actor);
  entry.oldValue = describe(params.threshold, params.members);
  entry.save();
}

/** A mark is for good: one that is there already keeps its first time. */
function mark(event: SignerMarked, account: Address): void {
  const id = event.address.concat(account);
  if (account == Address.zero() || MarkedSigner.load(id)) return;
  const marked = new MarkedSigner(id);
  marked.verifier = event.address;
  marked.account = account;
  marked.markedAt = event.block.timestamp;
  marked.transaction = event.transaction.hash;
  marked.save();
}

export function handleSignerMarked(event: SignerMarked): void {
  mark(event, event.params.signer);
  mark(event, event.params.seat);
  const entry = governanceEvent(event, "SignerMarked", event.params.actor);
  entry.oldValue = event.params.signer.toHexString();
  entry.newValue = event.params.seat.toHexString();
  entry.save();
}

export function handleDisputesChanged(event: DisputesChanged): void {
  const entry = governanceEvent(event, "DisputesChanged", event.params.actor);
  entry.oldValue = event.params.oldDisputes.toHexString();
  entry.newValue = event.params.newDisputes.toHexString();
  entry.save();
}
