import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/** What NVIDIA published about GPUs, as any replica has seen it. Times in unix seconds. */
export class GpuCollateralStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The XML of a manifest, or null. */
  async rim(id: string): Promise<string | null> {
    const { rows } = await this.#pool.query<{ xml: string }>("SELECT xml FROM gpu_rims WHERE id = $1", [id]);
    return rows[0]?.xml ?? null;
  }

  async keepRim(id: string, xml: string, fetchedAt: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO gpu_rims (id, xml, fetched_at) VALUES ($1, $2, $3)
       ON CONFLICT (id) DO UPDATE SET xml = EXCLUDED.xml, fetched_at = EXCLUDED.fetched_at`,
      [id, xml, fetchedAt],
    );
  }

  /** DER of the newest OCSP response about a certificate, or null. */
  async ocsp(certificate: string): Promise<Uint8Array | null> {
    const { rows } = await this.#pool.query<{ response: Uint8Array }>(
      "SELECT response FROM ocsp_responses WHERE certificate = $1",
      [certificate],
    );
    return rows[0]?.response ?? null;
  }

  /**
   * Keeps a response, unless it is older than the one that is there.
   * @throws CharterError `collateral/older`: somebody serves what was said before; what is there stays.
   */
  async keepOcsp(
    certificate: string,
    response: Uint8Array,
    thisUpdate: number,
    fetchedAt: number,
  ): Promise<void> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO ocsp_responses AS held (certificate, response, this_update, fetched_at)
       VALUES ($1, $2, $3, $4)
       ON CONFLICT (certificate) DO UPDATE SET response = EXCLUDED.response, this_update = EXCLUDED.this_update,
         fetched_at = EXCLUDED.fetched_at
       WHERE held.this_update <= EXCLUDED.this_update`,
      [certificate, response, thisUpdate, fetchedAt],
    );
    if (rowCount === 1) return;
    throw new CharterError("collateral/older", "the service must not answer older collateral than before", {
      certificate,
      actual: thisUpdate,
    });
  }
}
