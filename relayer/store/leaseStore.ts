import type { Pool } from "pg";

import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import type { GrantedLease } from "../leases/LeaseDesk.ts";

/** What was told, and from when on the next question has to go. */
export interface Told {
  readonly leases: readonly GrantedLease[];
  /** By the database's clock, as text. */
  readonly since: string;
}

/** A row's time is that of its statement's begin: for so long it may have gone unseen. */
const OVERLAP = "5 seconds";

/** Leases that the replicas of one database tell each other of. */
export class LeaseStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Keeps what a replica granted: of each key's leases the one that ends last. One text: arrays are written by the element. */
  async tell(replica: string, leases: readonly GrantedLease[]): Promise<void> {
    if (leases.length === 0) return;
    await this.#pool.query(
      `INSERT INTO granted_leases (app, key, node, release, compose_hash, until, replica, told_at)
       SELECT told.*, $2, now()
       FROM json_to_recordset($1)
         AS told (app text, key text, node bigint, release bigint, "composeHash" text, until bigint)
       ORDER BY app, key
       ON CONFLICT (app, key) DO UPDATE SET node = excluded.node, release = excluded.release,
         compose_hash = excluded.compose_hash, until = excluded.until, replica = excluded.replica, told_at = excluded.told_at
       WHERE granted_leases.until <= excluded.until`,
      [JSON.stringify(leases), replica],
    );
  }

  /**
   * What other replicas told since then, some of it perhaps once more; at first all that may still run at `now` (unix
   * seconds).
   */
  async told(replica: string, since: string | null, now: number): Promise<Told> {
    const { rows } = await this.#pool.query<{
      since: string;
      app: Address | null;
      key: Address;
      node: string;
      release: string;
      compose_hash: ComposeHash;
      until: string;
    }>(
      `SELECT clock.since, app, key, node, release, compose_hash, until
       FROM (SELECT (now() - interval '${OVERLAP}')::text AS since) AS clock
       LEFT JOIN granted_leases ON told_at > COALESCE($2::timestamptz, '-infinity') AND replica <> $1 AND until > $3`,
      [replica, since, now],
    );
    return {
      since: rows[0]?.since ?? "-infinity",
      leases: rows.flatMap(({ app, key, node, release, compose_hash, until }) =>
        app === null
          ? []
          : [
              {
                ...{ app, key, composeHash: compose_hash },
                ...{ node: Number(node), release: Number(release), until: Number(until) },
              },
            ],
      ),
    };
  }

  /** Forgets what was over at `now` (unix seconds). */
  async forget(now: number): Promise<void> {
    await this.#pool.query("DELETE FROM granted_leases WHERE until <= $1", [now]);
  }
}
