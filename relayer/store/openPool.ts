import { Pool } from "pg";
import type { QueryResult } from "pg";

import { asStoreError } from "./asStoreError.ts";

/**
 * A transaction that stands still for longer is the server's to end: a replica that froze or was cut off in one would keep
 * its locks on leases, and whoever is to take over would wait for it. A remote signer answers within ten seconds.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;

/** A server that fell silent in the middle of an answer is told from one that is slow only by waiting. */
const QUERY_TIMEOUT_MS = 120_000;

interface Timeouts {
  readonly connectionTimeoutMillis?: number;
  /** 0: none, as for migrations, which may take as long as they need. */
  readonly queryTimeoutMillis?: number;
}

/**
 * Connections to one database. A query that finds it away, or that waits too long for a connection or an answer, fails with
 * `store/unreachable`.
 */
export function openPool(
  databaseUrl: string,
  { connectionTimeoutMillis = 5_000, queryTimeoutMillis = QUERY_TIMEOUT_MS }: Timeouts = {},
): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 16,
    connectionTimeoutMillis,
    query_timeout: queryTimeoutMillis,
    keepAlive: true, // So that an idle connection whose server is gone is noticed before it is used.
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  // An idle connection that the server ends is replaced at the next query, which is where a failure is told.
  pool.on("error", () => undefined);
  // One that is in use has no listener of the pool's; the query that it runs, or the next one, tells the failure.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const query = pool.query.bind(pool) as (...asked: unknown[]) => Promise<QueryResult>;
  const told = async (...asked: unknown[]): Promise<QueryResult> => {
    try {
      return await query(...asked);
    } catch (cause) {
      throw asStoreError(cause);
    }
  };
  return Object.assign(pool, { query: told as Pool["query"] });
}
