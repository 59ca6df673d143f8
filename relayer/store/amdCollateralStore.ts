import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/** DER of ASK (or ASVK), ARK, and the ARK's revocation list. */
interface Issuers {
  readonly ask: Uint8Array;
  readonly ark: Uint8Array;
  readonly crl: Uint8Array;
}

/** What AMD published, as any replica has seen it. */
export class AmdCollateralStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async issuers(family: string): Promise<Issuers | null> {
    const { rows } = await this.#pool.query<Issuers>(
      "SELECT ask, ark, crl FROM amd_issuers WHERE family = $1",
      [family],
    );
    return rows[0] ?? null;
  }

  /**
   * Keeps what was fetched, unless its list is older than the one that is there. Times in unix seconds.
   * @throws CharterError `collateral/older`: somebody serves what was published before; what is there stays.
   */
  async keepIssuers(
    family: string,
    { ask, ark, crl, crlIssued }: Issuers & { readonly crlIssued: number },
    fetchedAt: number,
  ): Promise<void> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO amd_issuers AS held (family, ask, ark, crl, crl_issued, fetched_at)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (family) DO UPDATE SET ask = EXCLUDED.ask, ark = EXCLUDED.ark, crl = EXCLUDED.crl,
         crl_issued = EXCLUDED.crl_issued, fetched_at = EXCLUDED.fetched_at
       WHERE held.crl_issued <= EXCLUDED.crl_issued`,
      [family, ask, ark, crl, crlIssued, fetchedAt],
    );
    if (rowCount === 1) return;
    throw new CharterError("collateral/older", "the service must not answer older collateral than before", {
      family,
      actual: crlIssued,
    });
  }

  /** DER, or null. */
  async vcek(chip: string): Promise<Uint8Array | null> {
    const { rows } = await this.#pool.query<{ certificate: Uint8Array }>(
      "SELECT certificate FROM amd_vceks WHERE chip = $1",
      [chip],
    );
    return rows[0]?.certificate ?? null;
  }

  async keepVcek(chip: string, certificate: Uint8Array, fetchedAt: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO amd_vceks (chip, certificate, fetched_at) VALUES ($1, $2, $3)
       ON CONFLICT (chip) DO UPDATE SET certificate = EXCLUDED.certificate, fetched_at = EXCLUDED.fetched_at`,
      [chip, certificate, fetchedAt],
    );
  }
}
