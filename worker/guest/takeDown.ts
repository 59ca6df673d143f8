import type { Clock } from "../clock.ts";
import type { Runtime } from "./compose/Runtime.ts";
import { reported, type GuestState, type StopReason } from "./state.ts";

/** Given to containers to end by themselves, while the lease may still cover it. */
const STOP_SECONDS: Readonly<Record<StopReason, number>> = { asked: 5, denied: 5, expired: 0 };
const RETRY_MS = 1_000;

export interface TakeDownSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
}

/** Takes down an app's containers, and tries again until the engine has done it: nothing runs without a lease. */
export async function takeDown(
  runtime: Runtime,
  reason: StopReason,
  { clock, report }: TakeDownSeams,
): Promise<void> {
  for (;;) {
    try {
      await runtime.down(STOP_SECONDS[reason]);
      return;
    } catch (error) {
      report({ state: "not-stopped", reason, error: reported(error) });
    }
    await clock.sleep(RETRY_MS, new AbortController().signal);
  }
}
