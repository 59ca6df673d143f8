import type { Pool, PoolClient, QueryConfig } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { VerdictMessage } from "../../protocol/session/messages.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { EVIDENCE_COLUMNS, evidenceColumns, evidenceFromRow } from "./evidenceRows.ts";
import type { AcceptedEvidence, EvidenceRow as Row } from "./evidenceRows.ts";
import { gathered } from "./gathered.ts";
import type { Outcome } from "./gathered.ts";
import { wantProofs } from "./proofStore.ts";
import type { WantedProof } from "./proofStore.ts";
import { RecentEvidence } from "./recentEvidence.ts";
import { inTransaction } from "./transaction.ts";
import { valueRows } from "./valueRows.ts";

export type { AcceptedEvidence } from "./evidenceRows.ts";

type Binding = Pick<AcceptedEvidence, "digest" | "purpose" | "subject" | "key" | "node">;

interface Acceptance {
  readonly evidence: AcceptedEvidence;
  readonly proofs: readonly WantedProof[];
}

/** Rows of one commit: their evidence is tens of kilobytes each. */
const MAX_GATHERED = 128;
/** How long a key is looked up at most. */
const RECALL_MS = 5_000;

/** Evidence → the only purpose, subject, key and node that it may ever serve. */
export class EvidenceStore {
  readonly #pool: Pool;
  readonly #recent: RecentEvidence;
  readonly #accept: (acceptance: Acceptance) => Promise<"new" | "known">;

  /** @param recent is told what was accepted and shall have proofs. */
  constructor(pool: Pool, recent = new RecentEvidence()) {
    this.#pool = pool;
    this.#recent = recent;
    this.#accept = gathered((all) => this.#acceptAll(all), MAX_GATHERED);
  }

  /**
   * Binds evidence, and keeps which proofs it shall have, in one transaction. `known` when exactly this binding exists
   * already (the first acceptance is kept; what failed of its proofs is wanted again).
   * @throws CharterError `evidence/replayed` when the digest serves another purpose, subject, key or node.
   */
  accept(evidence: AcceptedEvidence, proofs: readonly WantedProof[] = []): Promise<"new" | "known"> {
    return this.#accept({ evidence, proofs });
  }

  async #acceptAll(all: readonly Acceptance[]): Promise<Outcome<"new" | "known">[]> {
    const outcomes = await this.#write(all);
    all.forEach(({ evidence, proofs }, index) => {
      const outcome = outcomes[index];
      const isNew = outcome !== undefined && "result" in outcome && outcome.result === "new";
      if (isNew && proofs.length > 0) this.#recent.keep(evidence);
    });
    return outcomes;
  }

  #write(all: readonly Acceptance[]): Promise<Outcome<"new" | "known">[]> {
    return inTransaction(this.#pool, async (client) => {
      const bound = await insert(
        client,
        all.map(({ evidence }) => evidence),
      );
      const entered = new Set(bound.keys());
      const known = all.map(({ evidence: { digest } }) => digest).filter((digest) => !entered.has(digest));
      if (known.length > 0)
        for (const [digest, binding] of await bindings(client, known)) bound.set(digest, binding);
      const outcomes = all.map(({ evidence }): Outcome<"new" | "known"> => {
        const { digest } = evidence;
        const binding = bound.get(digest);
        if (binding === undefined || !isSame(binding, evidence))
          return { error: replayed(binding, evidence) };
        // Of two alike in one write, the first is new.
        return { result: entered.delete(digest) ? "new" : "known" };
      });
      const accepted = all.filter((_, index) => "result" in (outcomes[index] ?? {}));
      await wantProofs(
        client,
        accepted.flatMap(({ evidence: { subject }, proofs }) =>
          proofs.map((proof) => ({ ...proof, subject })),
        ),
      );
      return outcomes;
    });
  }

  async byDigest(digest: Bytes32): Promise<AcceptedEvidence | null> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT ${EVIDENCE_COLUMNS} FROM evidence WHERE digest = $1`,
      [digest],
    );
    return rows[0] ? evidenceFromRow(rows[0]) : null;
  }

  /** Newest (by evidence block) of one key, so that a session survives a restart. */
  async latest(
    purpose: AcceptedEvidence["purpose"],
    subject: Address,
    key: Address,
  ): Promise<AcceptedEvidence | null> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT ${EVIDENCE_COLUMNS} FROM evidence WHERE purpose = $1 AND subject = $2 AND key = $3
       ORDER BY evidence_block DESC, accepted_at DESC LIMIT 1`,
      [purpose, subject, key],
    );
    return rows[0] ? evidenceFromRow(rows[0]) : null;
  }

  /** What of an instance key's newest evidence its leases rest on: without the evidence itself, which is large. */
  async instance(app: Address, key: Address): Promise<{ node: number; verdict: VerdictMessage } | null> {
    const asked: QueryConfig & { query_timeout: number } = {
      text: `SELECT node, verdict FROM evidence WHERE purpose = 'instance' AND subject = $1 AND key = $2 AND node IS NOT NULL
       ORDER BY evidence_block DESC, accepted_at DESC LIMIT 1`,
      values: [app, key],
      query_timeout: RECALL_MS, // A guest waits for this: it had better ask again, here or elsewhere.
    };
    const { rows } = await this.#pool.query<{ node: string; verdict: VerdictMessage }>(asked);
    return rows[0] ? { node: Number(rows[0].node), verdict: rows[0].verdict } : null;
  }

  /** Newest of every node's key, also where its verdict has ended. */
  async nodes(): Promise<AcceptedEvidence[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT DISTINCT ON (key) ${EVIDENCE_COLUMNS} FROM evidence WHERE purpose = 'node'
       ORDER BY key, evidence_block DESC, accepted_at DESC`,
    );
    return rows.map(evidenceFromRow);
  }

  /** Newest of every instance key, where its verdict is still valid at `now` (unix seconds). */
  async instances(now: number): Promise<AcceptedEvidence[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT * FROM (
         SELECT DISTINCT ON (subject, key) ${EVIDENCE_COLUMNS}, valid_until FROM evidence WHERE purpose = 'instance'
         ORDER BY subject, key, evidence_block DESC, accepted_at DESC
       ) AS newest WHERE valid_until > $1`,
      [now],
    );
    return rows.map(evidenceFromRow);
  }
}

/** Inserts what is not known; what is new, by its digest. In their order, so that two writers never wait for each other. */
async function insert(client: PoolClient, all: readonly AcceptedEvidence[]): Promise<Map<Bytes32, Binding>> {
  const sorted = [...all].sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0));
  const rowsOf = valueRows(
    ["text", "text", "text", "text", "bigint", "json", "json", "bytea", "bigint", "bigint", "bigint"],
    sorted.map(({ digest, purpose, subject, key, node, verdict, evidence, acceptedAt }) => [
      ...[digest, purpose, subject, key, node],
      ...[JSON.stringify(verdict), ...evidenceColumns(evidence)],
      ...[acceptedAt, verdict.evidenceBlock, verdict.validUntil],
    ]),
  );
  const { rows } = await client.query<Row>(
    `INSERT INTO evidence (${EVIDENCE_COLUMNS}, evidence_block, valid_until) VALUES ${rowsOf.text}
     ON CONFLICT DO NOTHING RETURNING ${BINDING_COLUMNS}`,
    rowsOf.values,
  );
  return new Map(rows.map((row) => [row.digest, bindingOf(row)]));
}

const BINDING_COLUMNS = "digest, purpose, subject, key, node";

async function bindings(client: PoolClient, digests: readonly Bytes32[]): Promise<Map<Bytes32, Binding>> {
  const { rows } = await client.query<Row>(`SELECT ${BINDING_COLUMNS} FROM evidence WHERE digest = ANY($1)`, [
    digests,
  ]);
  return new Map(rows.map((row) => [row.digest, bindingOf(row)]));
}

const bindingOf = (row: Row): Binding => ({
  digest: row.digest,
  purpose: row.purpose,
  subject: row.subject,
  key: row.key,
  node: row.node === null ? null : Number(row.node),
});

const isSame = (a: Binding, b: Binding): boolean =>
  (["purpose", "subject", "key", "node"] as const).every((name) => a[name] === b[name]);

const replayed = (expected: Binding | undefined, { digest, purpose, subject, key, node }: Binding) =>
  new CharterError("evidence/replayed", "this evidence serves another key, subject or node", {
    digest,
    expected: {
      purpose: expected?.purpose,
      subject: expected?.subject,
      key: expected?.key,
      node: expected?.node,
    },
    actual: { purpose, subject, key, node },
  });
