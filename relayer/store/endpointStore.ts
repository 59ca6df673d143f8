import type { Pool } from "pg";

import type { Address } from "../../protocol/words/hex.ts";

/** Where one instance answers TLS. */
export interface KeptEndpoint {
  readonly key: Address;
  readonly host: string;
  readonly port: number;
  /** Unix seconds. */
  readonly until: number;
}

/** What instances said last of where they answer: shared by replicas. */
export class EndpointStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The later of two reports of one key stands, in whichever order they come. */
  async keep(app: Address, { key, host, port, until }: KeptEndpoint, now: number): Promise<void> {
    await this.#pool.query("DELETE FROM endpoints WHERE until <= $1", [now]);
    await this.#pool.query(
      `INSERT INTO endpoints (app, key, host, port, until) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (app, key) DO UPDATE SET host = $3, port = $4, until = $5 WHERE endpoints.until < $5`,
      [app, key, host, port, until],
    );
  }

  /** Those of an app that still stand, at most so many. */
  async ofApp(app: Address, now: number, limit: number): Promise<readonly KeptEndpoint[]> {
    const { rows } = await this.#pool.query<{ key: Address; host: string; port: number; until: string }>(
      "SELECT key, host, port, until FROM endpoints WHERE app = $1 AND until > $2 ORDER BY key LIMIT $3",
      [app, now, limit],
    );
    return rows.map(({ until, ...rest }) => ({ ...rest, until: Number(until) }));
  }
}
