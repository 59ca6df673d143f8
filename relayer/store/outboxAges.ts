import type { Pool } from "pg";

import type { IntentState } from "../outbox/intent.ts";

/** Seconds that the oldest intent of each open state has been in it; states without any are absent. */
export async function outboxAges(pool: Pool): Promise<ReadonlyMap<IntentState, number>> {
  const { rows } = await pool.query<{ state: IntentState; seconds: string }>(
    `SELECT state, EXTRACT(EPOCH FROM now() - min(updated_at)) AS seconds FROM intents
     WHERE state NOT IN ('final', 'failed', 'replaced') GROUP BY state`,
  );
  return new Map(rows.map(({ state, seconds }) => [state, Math.max(0, Number(seconds))]));
}

/** Intents that are sent and wait at the highest fee allowed. */
export async function intentsAtFeeCap(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    "SELECT count(*) AS count FROM intents WHERE state = 'sent' AND error->>'code' = 'outbox/fee-cap'",
  );
  return Number(rows[0]?.count ?? 0);
}
