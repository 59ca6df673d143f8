import type { Pool, PoolClient } from "pg";

import type { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Leaf, LeafTree } from "../../protocol/session/batch.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { IntentError, IntentRequest, IntentState } from "../outbox/intent.ts";
import { shardOf } from "../replicas/shards.ts";
import { insertIntents } from "./intentRows.ts";
import { passOn, RESTING } from "./proofStore.ts";
import type { HeldProof } from "./proofStore.ts";
import { REFUSED_FOR_GOOD } from "./refusedForGood.ts";
import { inTransaction } from "./transaction.ts";
import { wordArray } from "./valueRows.ts";
import { fencesOf, takenOver } from "./workStore.ts";
import type { WorkLease } from "./workStore.ts";

export type BatchState = "posting" | "claiming" | "done" | "failed";

/** One look at a batch: whoever looked later has a higher number, and ends the writes of this one. */
export interface HeldBatch {
  readonly root: Bytes32;
  readonly hold: bigint;
}

/** A signed batch that is not through yet. */
export interface OpenBatch extends HeldBatch {
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
/** A proof may have left its batch meanwhile, and be on another way. */
const OF_THIS_BATCH = "proofs.id = proof AND proofs.state = 'batched' AND proofs.intent = batches.intent";

/**
 * Signed batches from their signatures to the last claim. A batch belongs to a shard by its root, and is looked at by the
 * replica that has the lease on that.
 */
export class BatchStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Keeps a signed batch, whose proof each leaf is, and the intent that posts it: all or nothing.
   * @throws CharterError `replica/lease-lost` when a leaf's proof was taken by another since: it may be on its way already.
   */
  async keep(
    { root, leaves }: Pick<LeafTree, "root" | "leaves">,
    proofs: ReadonlyMap<Bytes32, HeldProof>,
    signer: Address,
    post: IntentRequest,
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      const held = leaves.map(({ evidenceDigest }) => proofs.get(evidenceDigest) as HeldProof);
      await passOn(client, held, "batched", post.id);
      await insertIntents(client, signer, [post]);
      await client.query(
        `INSERT INTO batches (root, intent, count, state, shard) VALUES ($1, $2, $3, 'posting', $4)
         ON CONFLICT (root) DO UPDATE SET state = 'posting', looked_at = '-infinity' WHERE batches.state = 'failed'`,
        [root, post.id, leaves.length, shardOf(root)],
      );
      await client.query(
        `INSERT INTO batch_leaves (root, position, proof, facts)
         SELECT $1, position, proof, facts FROM unnest($2::int[], $3::text[], $4::text[]) AS kept (position, proof, facts)
         ON CONFLICT DO NOTHING`,
        [
          root,
          wordArray(leaves.map((_, position) => position)),
          wordArray(held.map(({ id }) => id)),
          wordArray(leaves.map(({ facts }) => facts)),
        ],
      );
    });
  }

  /** Takes batches of these leases' shards that are not through, those that nobody has looked at for longest first. */
  async take(limit: number, leases: readonly WorkLease[]): Promise<OpenBatch[]> {
    if (leases.length === 0) return [];
    const { rows } = await this.#pool.query<Omit<OpenBatch, "hold"> & { hold: string }>(
      `WITH due AS MATERIALIZED (
         SELECT root, work_leases.fence FROM batches
         JOIN unnest($3::text[], $4::bigint[]) AS mine (name, fence) ON mine.name = batches.shard
         JOIN work_leases ON work_leases.name = mine.name AND work_leases.fence = mine.fence AND expires_at >= now()
         WHERE state IN ('posting', 'claiming') AND (looked_at <= now() OR batches.fence < work_leases.fence)
         ORDER BY looked_at LIMIT $1 FOR UPDATE OF batches SKIP LOCKED)
       UPDATE batches SET looked_at = now() + $2 * interval '1 second', hold = hold + 1, fence = due.fence
       FROM due WHERE batches.root = due.root RETURNING batches.root, intent, state, hold`,
      [limit, HELD_SECONDS, ...fencesOf(leases)],
    );
    return rows.map((row) => ({ ...row, hold: BigInt(row.hold) }));
  }

  /** Gives a batch back, to be looked at again. */
  async release({ root, hold }: HeldBatch): Promise<void> {
    await this.#pool.query("UPDATE batches SET looked_at = now() WHERE root = $1 AND hold = $2", [
      root,
      hold.toString(),
    ]);
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
    batch: HeldBatch,
    signer: Address,
    claims: readonly { readonly request: IntentRequest; readonly positions: readonly number[] }[],
  ): Promise<void> {
    await this.#step(batch, "claiming", async (client) => {
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
        [batch.root, rows.map(({ position }) => position), rows.map(({ id }) => id)],
      );
    });
  }

  /**
   * The claim of this leaf has ended without its effect: its proof goes by itself then, unless the contracts would refuse
   * that as well.
   */
  async refuse(batch: HeldBatch, position: number): Promise<void> {
    await this.#step(batch, "claiming", (client) =>
      client.query(
        `UPDATE proofs SET error = intents.error, batchable = false, attempts = proofs.attempts + 1,
           not_before = now() + ${RESTING},
           state = CASE WHEN ${REFUSED_FOR_GOOD} THEN 'failed' ELSE 'wanted' END,
           intent = CASE WHEN ${REFUSED_FOR_GOOD} THEN claim END
         FROM batch_leaves JOIN batches USING (root) JOIN intents ON intents.id = claim
         WHERE batch_leaves.root = $1 AND position = $2 AND ${OF_THIS_BATCH}`,
        [batch.root, position],
      ),
    );
  }

  /** Nothing is left to do: its proofs are planned, by their claims where there are any. */
  async done(batch: HeldBatch): Promise<void> {
    await this.#step(batch, "done", (client) =>
      // Where somebody else posted it no intent of ours did.
      client.query(
        `UPDATE proofs SET state = 'planned', intent = coalesce(claim, (
           SELECT id FROM intents WHERE intents.id = batches.intent AND intents.state = 'final'))
         FROM batch_leaves JOIN batches USING (root) WHERE batch_leaves.root = $1 AND ${OF_THIS_BATCH}`,
        [batch.root],
      ),
    );
  }

  /** The chain does not take the batch: its proofs are wanted anew. */
  async fail(batch: HeldBatch, error: CharterError): Promise<void> {
    await this.#step(batch, "failed", (client) =>
      client.query(
        `UPDATE proofs SET state = 'wanted', intent = NULL, error = $2::jsonb, attempts = attempts + 1,
           not_before = now() + ${RESTING}
         FROM batch_leaves JOIN batches USING (root) WHERE batch_leaves.root = $1 AND ${OF_THIS_BATCH}`,
        [batch.root, JSON.stringify(error.toJSON())],
      ),
    );
  }

  /** A step of a batch and what follows from it, both or neither. @throws CharterError `replica/lease-lost`. */
  async #step(
    { root, hold }: HeldBatch,
    state: BatchState,
    work: (client: PoolClient) => Promise<unknown>,
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        "UPDATE batches SET state = $3 WHERE root = $1 AND hold = $2 AND state IN ('posting', 'claiming')",
        [root, hold.toString(), state],
      );
      if (rowCount !== 1) throw takenOver("batch", { root });
      await work(client);
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
