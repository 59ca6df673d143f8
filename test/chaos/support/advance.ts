import type { PublicClient } from "viem";

import type { Store } from "../../../relayer/store/store.ts";

/** An intent that is under way, or a proof that is to become one. */
export interface OpenIntent {
  readonly label: string;
  readonly state: string;
  readonly nonce: string | null;
  readonly included_number: string | null;
  readonly error: unknown;
}

export async function openWork(store: Store): Promise<OpenIntent[]> {
  const { rows } = await store.pool.query<OpenIntent>(
    `SELECT label, state, nonce, included_number, error FROM intents
     WHERE state NOT IN ('final', 'failed', 'replaced')
     UNION ALL
     SELECT 'proof', state, NULL, NULL, error FROM proofs WHERE state IN ('wanted', 'failed')`,
  );
  return rows;
}

/**
 * Mines what open work waits for and no more, because evidence ages with every block: one block where something was
 * sent, and as many as finality needs where all is included.
 */
export async function advance(
  open: readonly OpenIntent[],
  client: PublicClient,
  mine: (blocks: number) => Promise<void>,
  confirmations: number,
): Promise<void> {
  if (open.some(({ state }) => state === "sent")) return mine(1);
  const included = open.flatMap(({ included_number: number }) => (number === null ? [] : [Number(number)]));
  if (included.length === 0) return;
  const head = Number(await client.getBlockNumber());
  const missing = Math.max(...included) + confirmations - head;
  if (missing > 0) await mine(missing);
}
