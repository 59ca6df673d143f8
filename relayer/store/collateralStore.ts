import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { CollateralMessage } from "../../protocol/evidence/index.ts";

/** What orders two publications of one family's collateral. Dates in unix seconds. */
export interface CollateralMarks {
  readonly evaluationNumber: number;
  readonly tcbInfoIssued: number;
  readonly qeIdentityIssued: number;
  readonly pckCrlIssued: number;
  readonly rootCrlIssued: number;
}

const COLUMNS = [
  "evaluation_number",
  "tcb_info_issued",
  "qe_identity_issued",
  "pck_crl_issued",
  "root_crl_issued",
];

/** The newest collateral of each platform family that any replica has seen. */
export class CollateralStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async get(family: string): Promise<CollateralMessage | null> {
    const { rows } = await this.#pool.query<{ body: CollateralMessage }>(
      "SELECT body FROM collateral WHERE family = $1",
      [family],
    );
    return rows[0]?.body ?? null;
  }

  /**
   * Keeps what was fetched, unless any part of it is older than what is there.
   * @throws CharterError `collateral/older`: somebody serves what was published before; what is there stays.
   */
  async keep(
    family: string,
    body: CollateralMessage,
    marks: CollateralMarks,
    fetchedAt: number,
  ): Promise<void> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO collateral AS held (family, body, ${COLUMNS.join(", ")}, fetched_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (family) DO UPDATE SET body = EXCLUDED.body, fetched_at = EXCLUDED.fetched_at,
         ${COLUMNS.map((name) => `${name} = EXCLUDED.${name}`).join(", ")}
       WHERE ${COLUMNS.map((name) => `held.${name} <= EXCLUDED.${name}`).join(" AND ")}`,
      [
        family,
        JSON.stringify(body),
        marks.evaluationNumber,
        marks.tcbInfoIssued,
        marks.qeIdentityIssued,
        marks.pckCrlIssued,
        marks.rootCrlIssued,
        fetchedAt,
      ],
    );
    if (rowCount === 1) return;
    throw new CharterError("collateral/older", "the service must not answer older collateral than before", {
      family,
      actual: { ...marks },
    });
  }
}
