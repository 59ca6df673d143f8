import type { ChainState, CommitteeState } from "./types.ts";

/** The committee in force at `time` (unix seconds, at or after the state's newest event): it changes by time alone. */
export function committeeAt(
  { committee, nextCommittee }: Pick<ChainState, "committee" | "nextCommittee">,
  time: number,
): CommitteeState {
  return nextCommittee !== null && nextCommittee.effectiveAt <= time ? nextCommittee : committee;
}
