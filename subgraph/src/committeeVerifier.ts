import { Bytes } from "@graphprotocol/graph-ts";

import { CommitteeChanged } from "../generated/CommitteeVerifier/CommitteeVerifier";
import { Committee } from "../generated/schema";
import { governanceEvent } from "./governance";

export function handleCommitteeChanged(event: CommitteeChanged): void {
  const params = event.params;
  const committee = new Committee(event.address);
  const members: Bytes[] = [];
  let text = "";
  for (let i = 0; i < params.newMembers.length; i++) {
    members.push(params.newMembers[i]);
    text += (i == 0 ? "" : ",") + params.newMembers[i].toHexString();
  }
  committee.members = members;
  committee.threshold = params.newThreshold;
  committee.expiresAt = params.expiresAt;
  committee.save();

  const entry = governanceEvent(event, "CommitteeChanged", params.actor);
  entry.oldValue = params.oldThreshold.toString() + " of " + params.oldMembers.length.toString();
  entry.newValue = params.newThreshold.toString() + " of " + text;
  entry.save();
}
