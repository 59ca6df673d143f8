import { Disputed } from "../generated/CommitteeDisputes/CommitteeDisputes";
import { Dispute } from "../generated/schema";
import { logId, toBytesArray } from "./ids";

export function handleDisputed(event: Disputed): void {
  const params = event.params;
  const dispute = new Dispute(logId(event));
  dispute.evidenceDigest = params.evidenceDigest;
  dispute.statement = params.statement;
  dispute.contradiction = params.contradiction;
  dispute.signers = toBytesArray(params.signers);
  dispute.actor = params.actor;
  dispute.timestamp = event.block.timestamp;
  dispute.block = event.block.number;
  dispute.transaction = event.transaction.hash;
  dispute.save();
}
