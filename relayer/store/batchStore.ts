import type { Pool } from "pg";

import type { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Leaf, LeafTree } from "../../protocol/session/batch.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { IntentError, IntentRequest, IntentState } from "../outbox/intent.ts";
import { insertIntents } from "./intentRows.ts";
import { inTransaction } from "./transaction.ts";

export type BatchState = "posting" | "claiming" | "done" | "failed";

/** A signed batch that is not through yet. */
export interface OpenBatch {
  readonly root: Bytes32;
  /** Intent that posts it. */
  readonly intent: Bytes32;
  readonly state: BatchState;
}

/** A leaf as it is to be claimed. */
export interface KeptLeaf {
  readonly position: number;
  readonly proof: Bytes32;
  readonly leaf: Leaf;
  readonly keySignature: Hex;
}

/** Leaves that are claimed by one intent, and where that stands. */
export interface Claim {
  readonly intent: Bytes32;
  readonly positions: readonly number[];
  readonly state: IntentState;
  readonly error: IntentError | null;
}

/** How long a replica keeps a batch that it looks at. */
const HELD_SECONDS = 15;

/** Signed batches from their signatures to the last claim. */
export class BatchStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Keeps a signed batch, whose proof each leaf is, and the intent that posts it: all or nothing. */
  async keep(
    { root, leaves }: Pick<LeafTree, "root" | "leaves">,
    proofs: ReadonlyMap<Bytes32, Bytes32>,
    signer: Address,
    post: IntentRequest,
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await insertIntents(client, signer, [post]);
      await client.query(
        `INSERT INTO batches (root, intent, count, state) VALUES ($1, $2, $3, 'posting')
         ON CONFLICT (root) DO UPDATE SET state = 'posting', looked_at = '-infinity' WHERE batches.state = 'failed'`,
        [root, post.id, leaves.length],
      );
      const ids = leaves.map(({ evidenceDigest }) => proofs.get(evidenceDigest));
      await client.query(
        `INSERT INTO batch_leaves (root, position, proof, facts)
         SELECT $1, position, proof, facts FROM unnest($2::int[], $3::text[], $4::text[]) AS kept (position, proof, facts)
         ON CONFLICT DO NOTHING`,
        [root, leaves.map((_, position) => position), ids, leaves.map(({ facts }) => facts)],
      );
      await client.query(
        `UPDATE proofs SET state = 'batched', intent = $2, error = NULL, held_until = '-infinity'
         WHERE id = ANY($1) AND state = 'wanted'`,
        [ids, post.id],
      );
    });
  }

  /** Takes batches that are not through, those that nobody has looked at for longest first. */
  async take(limit: number): Promise<OpenBatch[]> {
    const { rows } = await this.#pool.query<OpenBatch>(
      `UPDATE batches SET looked_at = now() + $2 * interval '1 second' WHERE root IN (
         SELECT root FROM batches WHERE state IN ('posting', 'claiming') AND looked_at <= now()
         ORDER BY looked_at LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING root, intent, state`,
      [limit, HELD_SECONDS],
    );
    return rows;
  }

  /** Gives a batch back, to be looked at again. */
  async release(root: Bytes32): Promise<void> {
    await this.#pool.query("UPDATE batches SET looked_at = now() WHERE root = $1", [root]);
  }

  /** In the tree's order. */
  async leaves(root: Bytes32): Promise<KeptLeaf[]> {
    const { rows } = await this.#pool.query<{
      position: number;
      proof: Bytes32;
      facts: Bytes32;
      app: Address;
      key: Address;
      evidence_digest: Bytes32;
      key_signature: Hex;
    }>(
      `SELECT position, proof, facts, subject AS app, key, evidence_digest, key_signature
       FROM batch_leaves JOIN proofs ON proofs.id = proof JOIN evidence ON evidence.digest = evidence_digest
       WHERE root = $1 ORDER BY position`,
      [root],
    );
    return rows.map((row) => ({
      position: row.position,
      proof: row.proof,
      leaf: { app: row.app, key: row.key, facts: row.facts, evidenceDigest: row.evidence_digest },
      keySignature: row.key_signature,
    }));
  }

  /** What of a batch is being claimed. */
  async claims(root: Bytes32): Promise<Claim[]> {
    const { rows } = await this.#pool.query<Claim>(
      `SELECT claim AS intent, array_agg(position ORDER BY position) AS positions, intents.state, intents.error
       FROM batch_leaves JOIN intents ON intents.id = claim
       WHERE root = $1 GROUP BY claim, intents.state, intents.error`,
      [root],
    );
    return rows;
  }

  /** Plans claims, each of its leaves; the batch is being claimed then. */
  async planClaims(
    root: Bytes32,
    signer: Address,
    claims: readonly { readonly request: IntentRequest; readonly positions: readonly number[] }[],
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await insertIntents(
        client,
        signer,
        claims.map(({ request }) => request),
      );
      const rows = claims.flatMap(({ request, positions }) =>
        positions.map((position) => ({ position, id: request.id })),
      );
      await client.query(
        `UPDATE batch_leaves SET claim = given.id FROM unnest($2::int[], $3::text[]) AS given (position, id)
         WHERE root = $1 AND batch_leaves.position = given.position`,
        [root, rows.map(({ position }) => position), rows.map(({ id }) => id)],
      );
      await client.query("UPDATE batches SET state = 'claiming' WHERE root = $1", [root]);
    });
  }

  /** The chain refuses this leaf. */
  async refuse(root: Bytes32, position: number, error: IntentError): Promise<void> {
    await this.#pool.query(
      `UPDATE proofs SET state = 'failed', error = $3::jsonb FROM batch_leaves
       WHERE root = $1 AND position = $2 AND proofs.id = proof AND state = 'batched'`,
      [root, position, JSON.stringify(error)],
    );
  }

  /** Nothing is left to do: its proofs are planned, by their claims where there are any. */
  async done(root: Bytes32): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await client.query("UPDATE batches SET state = 'done' WHERE root = $1", [root]);
      await client.query(
        `UPDATE proofs SET state = 'planned', intent = coalesce(claim, intent) FROM batch_leaves
         WHERE root = $1 AND proofs.id = proof AND state = 'batched'`,
        [root],
      );
    });
  }

  /** The chain does not take the batch: its proofs are wanted anew. */
  async fail(root: Bytes32, error: CharterError): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await client.query("UPDATE batches SET state = 'failed' WHERE root = $1", [root]);
      await client.query(
        `UPDATE proofs SET state = 'wanted', intent = NULL, error = $2::jsonb, attempts = attempts + 1,
           not_before = now() + least(60, power(2, least(attempts, 6))) * interval '1 second' FROM batch_leaves
         WHERE root = $1 AND proofs.id = proof AND state = 'batched'`,
        [root, JSON.stringify(error.toJSON())],
      );
    });
  }

  /** How many batches stand in each state. */
  async counts(): Promise<Record<BatchState, number>> {
    const { rows } = await this.#pool.query<{ state: BatchState; count: string }>(
      "SELECT state, count(*) AS count FROM batches GROUP BY state",
    );
    const counts = { posting: 0, claiming: 0, done: 0, failed: 0 };
    for (const { state, count } of rows) counts[state] = Number(count);
    return counts;
  }
}
