import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/** The right to take work of one kind; a later one has a higher fence, and takes over what was taken under this one. */
export interface WorkLease {
  readonly name: string;
  readonly fence: bigint;
}

/** Replicas of this database and who of them does what, by the database's clock. */
export class WorkStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** This replica lives for `ttlMs` more. Gives all that live, itself among them. */
  async beat(replica: string, ttlMs: number): Promise<string[]> {
    await this.#pool.query("DELETE FROM replicas WHERE expires_at < now()");
    const { rows } = await this.#pool.query<{ id: string }>(
      `WITH mine AS (
         INSERT INTO replicas (id, expires_at) VALUES ($1, now() + $2 * interval '1 millisecond')
         ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at RETURNING id)
       SELECT id FROM mine UNION SELECT id FROM replicas WHERE expires_at >= now() ORDER BY id`,
      [replica, ttlMs],
    );
    return rows.map(({ id }) => id);
  }

  /** Takes or renews what no other replica holds; what one holds is left out. */
  async take(replica: string, names: readonly string[], ttlMs: number): Promise<WorkLease[]> {
    const { rows } = await this.#pool.query<{ name: string; fence: string }>(
      `INSERT INTO work_leases AS held (name, fence, holder, expires_at)
       SELECT name, 1, $1, now() + $3 * interval '1 millisecond' FROM unnest($2::text[]) AS name ORDER BY name
       ON CONFLICT (name) DO UPDATE SET
         fence = CASE WHEN held.holder = $1 AND held.expires_at >= now() THEN held.fence ELSE held.fence + 1 END,
         holder = $1, expires_at = excluded.expires_at
       WHERE held.holder = $1 OR held.expires_at < now()
       RETURNING name, fence`,
      [replica, names, ttlMs],
    );
    return rows.map(({ name, fence }) => ({ name, fence: BigInt(fence) }));
  }

  /** Lets others have them at once. */
  async drop(replica: string, names: readonly string[]): Promise<void> {
    await this.#pool.query(
      "UPDATE work_leases SET expires_at = '-infinity' WHERE holder = $1 AND name = ANY($2)",
      [replica, names],
    );
  }

  /** This replica ends: others need not wait for it. */
  async leave(replica: string): Promise<void> {
    await this.#pool.query("UPDATE work_leases SET expires_at = '-infinity' WHERE holder = $1", [replica]);
    await this.#pool.query("DELETE FROM replicas WHERE id = $1", [replica]);
  }
}

/** Names and fences, as parameters of a query. */
export const fencesOf = (leases: readonly WorkLease[]): [string[], string[]] => [
  leases.map(({ name }) => name),
  leases.map(({ fence }) => fence.toString()),
];

/** Somebody took it later: this one's writes are over. */
export const takenOver = (what: string, details: Readonly<Record<string, unknown>>): CharterError =>
  new CharterError("replica/lease-lost", "another replica does this work now", { what, ...details });
