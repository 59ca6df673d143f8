import type { Pool } from "pg";

import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { CLAIM_SECONDS, DAY_SECONDS, FORGOTTEN_BLOCKS } from "../retention/keepDays.ts";
import type { Retention } from "../retention/keepDays.ts";
import type { HeapWindow } from "./heapWindows.ts";
import { inTransaction } from "./transaction.ts";
import { wordArray } from "./valueRows.ts";
import type { WorkLease } from "./workStore.ts";

/** Evidence that may go if no proof of it is under way. */
export interface OldEvidence {
  readonly digest: Bytes32;
  readonly purpose: "instance" | "node";
  readonly subject: Address;
  readonly key: Address;
  /** Nothing newer of this key is known. */
  readonly newest: boolean;
}

/** `$1` and `$2`: pages. */
const IN_WINDOW = "ctid >= $1::tid AND ctid < $2::tid";
/** `$3` and `$4`: the lease under which rows may go. */
const LEASED =
  "EXISTS (SELECT FROM work_leases WHERE name = $3 AND work_leases.fence = $4 AND expires_at >= now())";
/** Below it nothing is judged, and no block is taken back. Null, and so nothing is below it, before the first final block. */
const FORGOTTEN = `(SELECT final_number - ${FORGOTTEN_BLOCKS} FROM chain_cursor)`;
/** Leaves are read again, all of a batch's together, until it is through. */
const OPEN_LEAVES =
  "SELECT proof FROM batches JOIN batch_leaves USING (root) WHERE batches.state IN ('posting', 'claiming')";
/** A batch is posted soon after it was signed, and can be claimed for a week from then on. */
const BATCH_SECONDS = CLAIM_SECONDS + DAY_SECONDS;
/** A batch has up to 4,096 leaves. */
const BATCHES_AT_ONCE = 8;

/**
 * Deletes what is over, a few rows at a time. Why no effect can happen twice, or another way, because a row is gone:
 *
 * - An intent's bytes can be mined once, under the nonce that they were signed for. An intent goes when it has ended, and
 *   where it was mined, in a block as deep as FORGOTTEN_BLOCKS: that nonce is used for good.
 * - Under another nonce an effect happens only when its id is planned anew. Of a proof's entry that takes a row of `proofs`
 *   in state `wanted`, of a claim an open batch; an intent stays while its proof, its batch or a leaf names it. Rows of
 *   proofs come into being only with accepted evidence, which is judged first, and judged are blocks of the last 8,191 only,
 *   while evidence and its proofs go when they are twice as old, and their proofs have ended. So neither a proof's id, nor
 *   the binding of evidence to one purpose, subject, key and node, can be written once more.
 * - A batch's root is made of leaves that the committee judged within minutes; that of a deleted batch cannot be made again.
 * - Upkeep (collateral, images, judgements by today's collateral) may be planned once more after its intent went, if it is
 *   due by the chain's own state: the contracts refuse what is not newer, or change nothing, and the simulation tells.
 * - And the contracts themselves take the same evidence, batch or leaf once (EvidenceNotNewer, BatchKnown, EvidenceTooOld).
 *
 * Leases rest on a key's newest evidence. Older evidence of a key goes before newer, so what is found as the newest never is
 * older than what was found before; the newest goes when its verdict ended a week ago.
 */
export class PruneStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Unix seconds by the database's clock. */
  async now(): Promise<number> {
    const { rows } = await this.#pool.query<{ now: string }>(
      "SELECT floor(extract(epoch FROM now())) AS now",
    );
    return Number(rows[0]?.now ?? 0);
  }

  /** Batches that are through, with their leaves. @return how many batches. */
  async batches(window: HeapWindow, lease: WorkLease, { keepDays, now }: Retention): Promise<number> {
    const age = Math.max(keepDays * DAY_SECONDS, BATCH_SECONDS);
    let pruned = 0;
    for (;;) {
      const { rowCount } = await this.#pool.query(
        `DELETE FROM batches WHERE root IN (
           SELECT root FROM batches WHERE ${IN_WINDOW} AND state IN ('done', 'failed')
             AND created_at < to_timestamp($5) AND ${LEASED} LIMIT ${BATCHES_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
        [...at(window, lease), now - age],
      );
      pruned += rowCount ?? 0;
      if ((rowCount ?? 0) < BATCHES_AT_ONCE) return pruned;
    }
  }

  /** Evidence that no judgement, lease or session can ask for: superseded, or over for as long as claims may take. */
  async oldEvidence(window: HeapWindow, { keepDays, now }: Retention): Promise<OldEvidence[]> {
    const of = (alias: string): string =>
      `SELECT FROM evidence AS ${alias} WHERE ${alias}.purpose = evidence.purpose AND ${alias}.subject = evidence.subject
         AND ${alias}.key = evidence.key`;
    const { rows } = await this.#pool.query<OldEvidence>(
      `SELECT * FROM (
         SELECT digest, purpose, subject, key, valid_until, NOT EXISTS (${of("newer")}
           AND (newer.evidence_block, newer.accepted_at, newer.digest)
             > (evidence.evidence_block, evidence.accepted_at, evidence.digest)) AS newest,
           EXISTS (${of("other")} AND other.digest <> evidence.digest) AS is_one_of_several
         FROM evidence WHERE ${IN_WINDOW} AND accepted_at < $3 AND evidence_block < ${FORGOTTEN}) AS old
       WHERE NOT newest OR (valid_until < $4 AND NOT is_one_of_several)`,
      [window.from, window.to, now - keepDays * DAY_SECONDS, now - CLAIM_SECONDS],
    );
    return rows.map(({ digest, purpose, subject, key, newest }) => ({
      ...{ digest, purpose, subject, key },
      newest,
    }));
  }

  /**
   * Deletes evidence with its proofs, where these have ended: given up, or on the chain too deep to be taken back.
   * @param proofs ids that proofs of each piece have, where it has any.
   */
  async evidence(
    proofs: ReadonlyMap<Bytes32, readonly Bytes32[]>,
    lease: WorkLease,
  ): Promise<{ readonly evidence: number; readonly proofs: number }> {
    if (proofs.size === 0) return { evidence: 0, proofs: 0 };
    const ids = wordArray([...proofs.values()].flat());
    return inTransaction(this.#pool, async (client) => {
      const { rows: leased } = await client.query(
        "SELECT FROM work_leases WHERE name = $1 AND fence = $2 AND expires_at >= now()",
        [lease.name, lease.fence.toString()],
      );
      if (leased.length === 0) return { evidence: 0, proofs: 0 };
      const { rows: over } = await client.query<{ id: Bytes32 }>(
        `SELECT id FROM proofs WHERE id = ANY($1::text[]) AND id NOT IN (${OPEN_LEAVES})
           AND (state = 'failed' OR (state = 'planned' AND NOT EXISTS (
             SELECT FROM intents WHERE intents.id = proofs.intent
               AND NOT (intents.state = 'final' AND coalesce(intents.included_number < ${FORGOTTEN}, false)))))
         ORDER BY id FOR UPDATE OF proofs SKIP LOCKED`,
        [ids],
      );
      const { rows: all } = await client.query<{ id: Bytes32; evidence_digest: Bytes32 }>(
        "SELECT id, evidence_digest FROM proofs WHERE id = ANY($1::text[])",
        [ids],
      );
      const ended = new Set(over.map(({ id }) => id));
      const staying = new Set(all.filter(({ id }) => !ended.has(id)).map((row) => row.evidence_digest));
      const going = all.filter((row) => !staying.has(row.evidence_digest)).map(({ id }) => id);
      const gone = wordArray([...proofs.keys()].filter((digest) => !staying.has(digest)));
      // What goes was found to be over, and is locked since.
      const { rowCount: deleted } = await client.query("DELETE FROM proofs WHERE id = ANY($1::text[])", [
        wordArray(going),
      ]);
      const { rowCount } = await client.query("DELETE FROM evidence WHERE digest = ANY($1::text[])", [gone]);
      return { evidence: rowCount ?? 0, proofs: deleted ?? 0 };
    });
  }

  /** Proofs whose evidence is gone: they can be made of nothing. */
  async proofs(window: HeapWindow, lease: WorkLease, { keepDays, now }: Retention): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `DELETE FROM proofs WHERE ${IN_WINDOW} AND created_at < to_timestamp($5) AND ${LEASED}
         AND NOT EXISTS (SELECT FROM evidence WHERE digest = evidence_digest) AND id NOT IN (${OPEN_LEAVES})`,
      [...at(window, lease), now - keepDays * DAY_SECONDS],
    );
    return rowCount ?? 0;
  }

  /** Intents that have ended and that no proof, batch or leaf names, with their transactions. */
  async intents(window: HeapWindow, lease: WorkLease, { keepDays, now }: Retention): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `DELETE FROM intents WHERE ${IN_WINDOW} AND updated_at < to_timestamp($5) AND ${LEASED}
         AND state IN ('final', 'failed', 'replaced') AND coalesce(included_number, 0) < ${FORGOTTEN}
         AND NOT EXISTS (SELECT FROM proofs WHERE proofs.id = intents.id)
         AND NOT EXISTS (SELECT FROM proofs WHERE proofs.intent = intents.id AND proofs.state = 'planned')
         AND NOT EXISTS (SELECT FROM batches WHERE batches.intent = intents.id)
         AND NOT EXISTS (SELECT FROM batch_leaves WHERE batch_leaves.claim = intents.id)`,
      [...at(window, lease), now - keepDays * DAY_SECONDS],
    );
    return rowCount ?? 0;
  }
}

const at = (
  { from, to }: HeapWindow,
  { name, fence }: WorkLease,
): [from: string, to: string, name: string, fence: string] => [from, to, name, fence.toString()];
