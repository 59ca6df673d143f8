import type { Clock } from "../clock.ts";
import type { Runtime } from "./compose/Runtime.ts";
import { reported, type GuestState } from "./state.ts";

const INTERVAL_MS = 1_000;

export interface TendSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
  /** This instance's key. */
  readonly key: string;
}

/** While leased: restarts by policy, and tells of health and of an engine that does not answer, each when it changes. */
export async function tendContainers(
  runtime: Runtime,
  { clock, report, key }: TendSeams,
  ended: AbortSignal,
): Promise<void> {
  let told = "";
  const tell = (state: GuestState, what: string): void => {
    if (what !== told && !ended.aborted) report(state);
    told = what;
  };
  while (!ended.aborted) {
    try {
      const services = await runtime.tend(ended);
      if (services.length > 0) tell({ state: "health", key, services }, JSON.stringify(services));
    } catch (error) {
      tell({ state: "engine-failed", error: reported(error) }, "engine-failed");
    }
    await clock.sleep(INTERVAL_MS, ended);
  }
}
