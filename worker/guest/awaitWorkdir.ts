import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Clock } from "../clock.ts";
import { holdDirectory, type HeldDirectory } from "../holdDirectory.ts";
import type { GuestState } from "./state.ts";

export interface AwaitWorkdirSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
}

const PAUSE_MS = 500;

/**
 * Holds this guest's workdir. One that another guest still has is waited for: they would share a Compose project, and the one
 * that ends would take down the containers of the one that begins. Undefined where the signal came before.
 * @throws CharterError `worker/workdir-not-lockable`.
 */
export async function awaitWorkdir(
  workdir: string,
  { clock, report }: AwaitWorkdirSeams,
  signal: AbortSignal,
): Promise<HeldDirectory | undefined> {
  for (let isTold = false; !signal.aborted; isTold = true) {
    try {
      return holdDirectory(workdir);
    } catch (error) {
      if (!isCharterError(error) || error.code !== "worker/workdir-in-use") throw error;
      const { pid } = error.details as { readonly pid: number | null };
      if (!isTold) report({ state: "awaiting-workdir", workdir, pid });
    }
    await clock.sleep(PAUSE_MS, signal);
  }
  return undefined;
}
