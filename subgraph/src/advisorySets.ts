import { AdvisorySetPublished } from "../generated/AdvisorySets/AdvisorySets";
import { AdvisorySet } from "../generated/schema";

export function handleAdvisorySetPublished(event: AdvisorySetPublished): void {
  const set = new AdvisorySet(event.params.digest);
  set.ids = event.params.ids;
  set.publishedBy = event.params.actor;
  set.timestamp = event.block.timestamp;
  set.save();
}
