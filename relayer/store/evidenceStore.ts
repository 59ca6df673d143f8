import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";

/** Evidence that this relayer verified, and the one use that it is bound to. */
export interface AcceptedEvidence {
  /** keccak256 of the quote's bytes, as the verdict carries it. */
  readonly digest: Bytes32;
  readonly purpose: "instance" | "node";
  /** The app (instances) or the operator (nodes). */
  readonly subject: Address;
  readonly key: Address;
  /** Number of the node that the instance runs on; null for a node's own evidence. */
  readonly node: number | null;
  readonly verdict: VerdictMessage;
  readonly evidence: EvidenceMessage;
  /** Unix seconds. */
  readonly acceptedAt: number;
}

interface Row {
  digest: Bytes32;
  purpose: AcceptedEvidence["purpose"];
  subject: Address;
  key: Address;
  node: string | null;
  verdict: VerdictMessage;
  evidence: EvidenceMessage;
  accepted_at: string;
}

const COLUMNS = "digest, purpose, subject, key, node, verdict, evidence, accepted_at";

const fromRow = (row: Row): AcceptedEvidence => ({
  digest: row.digest,
  purpose: row.purpose,
  subject: row.subject,
  key: row.key,
  node: row.node === null ? null : Number(row.node),
  verdict: row.verdict,
  evidence: row.evidence,
  acceptedAt: Number(row.accepted_at),
});

/** Evidence → the only purpose, subject, key and node that it may ever serve. */
export class EvidenceStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Binds evidence. `known` when exactly this binding exists already (the first acceptance is kept).
   * @throws CharterError `evidence/replayed` when the digest serves another purpose, subject, key or node.
   */
  async accept(evidence: AcceptedEvidence): Promise<"new" | "known"> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO evidence (${COLUMNS}, evidence_block, valid_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      [
        evidence.digest,
        evidence.purpose,
        evidence.subject,
        evidence.key,
        evidence.node,
        JSON.stringify(evidence.verdict),
        JSON.stringify(evidence.evidence),
        evidence.acceptedAt,
        evidence.verdict.evidenceBlock,
        evidence.verdict.validUntil,
      ],
    );
    if (rowCount === 1) return "new";
    const bound = await this.byDigest(evidence.digest);
    const same = (["purpose", "subject", "key", "node"] as const).every(
      (name) => bound?.[name] === evidence[name],
    );
    if (!same) {
      throw new CharterError("evidence/replayed", "this evidence serves another key, subject or node", {
        digest: evidence.digest,
        expected: { purpose: bound?.purpose, subject: bound?.subject, key: bound?.key, node: bound?.node },
        actual: {
          purpose: evidence.purpose,
          subject: evidence.subject,
          key: evidence.key,
          node: evidence.node,
        },
      });
    }
    return "known";
  }

  async byDigest(digest: Bytes32): Promise<AcceptedEvidence | null> {
    const { rows } = await this.#pool.query<Row>(`SELECT ${COLUMNS} FROM evidence WHERE digest = $1`, [
      digest,
    ]);
    return rows[0] ? fromRow(rows[0]) : null;
  }

  /** Newest (by evidence block) of one key, so that a session survives a restart. */
  async latest(
    purpose: AcceptedEvidence["purpose"],
    subject: Address,
    key: Address,
  ): Promise<AcceptedEvidence | null> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT ${COLUMNS} FROM evidence WHERE purpose = $1 AND subject = $2 AND key = $3
       ORDER BY evidence_block DESC, accepted_at DESC LIMIT 1`,
      [purpose, subject, key],
    );
    return rows[0] ? fromRow(rows[0]) : null;
  }

  /** What of an instance key's newest evidence its leases rest on: without the evidence itself, which is large. */
  async instance(app: Address, key: Address): Promise<{ node: number; verdict: VerdictMessage } | null> {
    const { rows } = await this.#pool.query<{ node: string; verdict: VerdictMessage }>(
      `SELECT node, verdict FROM evidence WHERE purpose = 'instance' AND subject = $1 AND key = $2 AND node IS NOT NULL
       ORDER BY evidence_block DESC, accepted_at DESC LIMIT 1`,
      [app, key],
    );
    return rows[0] ? { node: Number(rows[0].node), verdict: rows[0].verdict } : null;
  }

  /** Newest of every node's key, also where its verdict has ended. */
  async nodes(): Promise<AcceptedEvidence[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT DISTINCT ON (key) ${COLUMNS} FROM evidence WHERE purpose = 'node'
       ORDER BY key, evidence_block DESC, accepted_at DESC`,
    );
    return rows.map(fromRow);
  }

  /** Newest of every instance key, where its verdict is still valid at `now` (unix seconds). */
  async instances(now: number): Promise<AcceptedEvidence[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT * FROM (
         SELECT DISTINCT ON (subject, key) ${COLUMNS}, valid_until FROM evidence WHERE purpose = 'instance'
         ORDER BY subject, key, evidence_block DESC, accepted_at DESC
       ) AS newest WHERE valid_until > $1`,
      [now],
    );
    return rows.map(fromRow);
  }
}
