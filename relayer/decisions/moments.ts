import type { ChainState } from "../../protocol/state/types.ts";
import type { Projection } from "../chain/projection.ts";

/** A state, and the time (unix seconds) at which it is asked. */
export interface Moment {
  readonly state: ChainState;
  readonly time: number;
}

/** The later of the newest block's time and the clock, in whole seconds: by it things end. */
export const latestTime = ({ newest }: Projection, now: number): number =>
  Math.max(newest.block.timestamp, Math.ceil(now));

/**
 * What must allow, every one of them: the final state at the final block's time (so nothing begins early by a fast
 * clock), the final state at the later of head time and clock (so nothing outlives its end), and the newest state then
 * (so a revocation acts from the first block that holds it).
 */
export function moments(projection: Projection, now: number): readonly Moment[] {
  const { final, newest } = projection;
  const later = latestTime(projection, now);
  return [
    { state: final.state, time: final.block.timestamp },
    { state: final.state, time: later },
    { state: newest.state, time: later },
  ];
}
