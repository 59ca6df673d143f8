import type { Context } from "./context.ts";
import { send, type Call, type Sent } from "./send.ts";
import { proposeToGovernor } from "./senders/governor.ts";
import { proposeToSafe } from "./senders/safe.ts";

/** What those read who decide about an action. */
export interface About {
  /** One line. */
  readonly title: string;
  /** What it changes, for people. */
  readonly text?: string;
}

/**
 * An action of an app's owner (or guardian), by whoever that is: sent by the account at hand, or handed to a
 * Governor or a Safe.
 * @returns null when others decide about it first; what was handed to them is then already said.
 */
export async function act(context: Context, call: Call, about: About): Promise<Sent | null> {
  const safe = context.safe();
  if (safe !== null) return proposeToSafe(context, safe, call, about);
  const governor = context.governor();
  if (governor === null) return send(context, call);
  await proposeToGovernor(context, governor, call, about);
  return null;
}
