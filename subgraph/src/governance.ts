import { Address, BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";

import { GovernanceEvent } from "../generated/schema";
import { logId } from "./ids";

/** Begins the audit entry of one log; the caller adds what the event says and saves it. */
export function governanceEvent(event: ethereum.Event, kind: string, actor: Address): GovernanceEvent {
  const entry = new GovernanceEvent(logId(event));
  entry.contract = event.address;
  entry.kind = kind;
  entry.actor = actor;
  entry.effectiveAt = event.block.timestamp;
  entry.timestamp = event.block.timestamp;
  entry.block = event.block.number;
  entry.transaction = event.transaction.hash;
  entry.logIndex = event.logIndex;
  return entry;
}

/** The same for an event of an app. */
export function appEvent(event: ethereum.Event, kind: string, actor: Address): GovernanceEvent {
  const entry = governanceEvent(event, kind, actor);
  entry.app = event.address;
  return entry;
}

/** Records that a proof system's verifier changed, for either registry. */
export function recordVerifierChange(
  event: ethereum.Event,
  system: i32,
  oldVerifier: Address,
  newVerifier: Address,
  actor: Address,
): void {
  const entry = governanceEvent(event, "VerifierChanged", actor);
  entry.settingKey = Bytes.fromByteArray(Bytes.fromBigInt(BigInt.fromI32(system)));
  entry.oldValue = oldVerifier.toHexString();
  entry.newValue = newVerifier.toHexString();
  entry.save();
}
