import type { About } from "./act.ts";
import { act } from "./act.ts";
import type { Context } from "./context.ts";
import type { Call } from "./send.ts";

/**
 * An action of whoever owns, curates or operates something, by whichever way that is (`act`), and what is said when it was
 * done at once: `value` and the transaction.
 */
export async function perform(
  context: Context,
  call: Call,
  about: About,
  value: Record<string, unknown>,
): Promise<void> {
  const sent = await act(context, call, about);
  if (sent === null) return;
  context.out.result({ ...value, transaction: sent.hash }, `${about.title}\ntransaction ${sent.hash}`);
}
