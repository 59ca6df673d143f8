import { BOOT_EVENTS, type LoggedEvent } from "../../../../worker/tee/simulator/measurements.ts";
import { ccelLog, type CcelDefects, type Logged } from "./ccelLog.ts";

/** The simulated TD's boot, as its firmware would log it: in RTMR0, RTMR1 and RTMR2. */
export const BOOT: readonly Logged[] = BOOT_EVENTS.map(logged);

/** dstack's form of an event → firmware's. */
export function logged({ imr, event_type: type, digest, event_payload: data }: LoggedEvent): Logged {
  return { index: imr + 1, type, digest: Buffer.from(digest, "hex"), data: Buffer.from(data, "hex") };
}

/** The boot log of every simulated TD, or of one whose log was changed. */
export const simulatedCcel = (
  change: (boot: Logged[]) => readonly Logged[] = (boot) => boot,
  defects: CcelDefects = {},
): Uint8Array => ccelLog(change([...BOOT]), defects);
