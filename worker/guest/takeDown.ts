import type { Clock } from "../clock.ts";
import type { Runtime } from "./compose/Runtime.ts";
import { reported, type GuestState, type StopReason } from "./state.ts";

/** Given to containers to end by themselves, as far as the lease still covers it. */
const STOP_SECONDS = 5;
const RETRY_MS = 1_000;

export interface TakeDownSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
}

export interface TakeDown {
  readonly reason: StopReason;
  /** By the clock: when the last lease ends. */
  readonly expiresAt: number;
}

/** Takes down an app's containers, and tries again until the engine has done it: nothing runs without a lease. */
export async function takeDown(
  runtime: Runtime,
  { reason, expiresAt }: TakeDown,
  { clock, report }: TakeDownSeams,
): Promise<void> {
  for (;;) {
    try {
      const secondsLeft = Math.floor((expiresAt - clock.now()) / 1_000);
      await runtime.down(Math.max(0, Math.min(STOP_SECONDS, secondsLeft)));
      return;
    } catch (error) {
      report({ state: "not-stopped", reason, error: reported(error) });
    }
    await clock.sleep(RETRY_MS, new AbortController().signal);
  }
}
