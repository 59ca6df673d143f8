import type { Pool, PoolClient } from "pg";

import type { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { IntentError, IntentRequest } from "../outbox/intent.ts";
import { EVIDENCE_COLUMNS, evidenceFromRow } from "./evidenceRows.ts";
import type { AcceptedEvidence, EvidenceRow } from "./evidenceRows.ts";
import { insertIntents } from "./intentRows.ts";
import { RecentEvidence } from "./recentEvidence.ts";
import { inTransaction } from "./transaction.ts";

/** A proof that accepted evidence shall have. */
export interface WantedProof {
  /** Idempotency key of its effect on chain, known before the proof is. */
  readonly id: Bytes32;
  readonly evidenceDigest: Bytes32;
  /** Null: the chain's own judgement where it can judge, else the committee's. */
  readonly system: ProofSystem | null;
  /** Whether a committee's word of it may come in a batch. */
  readonly batchable: boolean;
  /** One of several that the app requires. */
  readonly combines: boolean;
  readonly keySignature: Hex;
  /** Of a node's entry. */
  readonly operatorSignature: Hex | null;
}

/** A proof that is to be made, with all that it is made of. */
export interface OpenProof extends WantedProof {
  readonly accepted: AcceptedEvidence;
  readonly attempts: number;
}

/** Where a proof stands, as operators see it. */
export interface ProofStanding {
  readonly state: "wanted" | "planned" | "batched" | "failed";
  readonly intent: Bytes32 | null;
  readonly error: { readonly code: string } | null;
}

/** What is waiting to be batched. */
export interface BatchQueue {
  readonly waiting: number;
  /** Milliseconds since the oldest came; 0 when none waits. */
  readonly oldestMs: number;
}

interface ProofRow {
  id: Bytes32;
  evidence_digest: Bytes32;
  system: ProofSystem | null;
  batchable: boolean;
  combines: boolean;
  key_signature: Hex;
  operator_signature: Hex | null;
  attempts: number;
}

const PROOF_COLUMNS =
  "proofs.id, evidence_digest, system, batchable, combines, key_signature, operator_signature, attempts";

/** How long a replica that is heard of no more keeps what it took. */
const HELD_SECONDS = 15;
/** A proof that could not be made rests this long, doubled each time up to the longest. */
const RETRY_SECONDS = 1;
const MAX_RETRY_SECONDS = 60;

/** Writes wanted proofs in the caller's transaction. What has failed, or whose intent has, is wanted again. */
export async function wantProofs(client: PoolClient, proofs: readonly WantedProof[]): Promise<void> {
  if (proofs.length === 0) return;
  const sorted = [...new Map(proofs.map((proof) => [proof.id, proof])).values()].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  await client.query(
    `INSERT INTO proofs (id, evidence_digest, system, batchable, combines, key_signature, operator_signature)
     SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::boolean[], $5::boolean[], $6::text[], $7::text[])
     ON CONFLICT (id) DO UPDATE SET
       state = 'wanted', attempts = 0, not_before = now(), held_until = '-infinity', key_signature = excluded.key_signature,
       operator_signature = excluded.operator_signature, error = NULL, intent = NULL
     WHERE proofs.state = 'failed' OR (proofs.state = 'planned' AND EXISTS
       (SELECT FROM intents WHERE intents.id = proofs.intent AND intents.state IN ('failed', 'replaced')))`,
    [
      sorted.map(({ id }) => id),
      sorted.map(({ evidenceDigest }) => evidenceDigest),
      sorted.map(({ system }) => system),
      sorted.map(({ batchable }) => batchable),
      sorted.map(({ combines }) => combines),
      sorted.map(({ keySignature }) => keySignature),
      sorted.map(({ operatorSignature }) => operatorSignature),
    ],
  );
}

/** Refusals of a committee's word for who signed it, or when: the same evidence may be proven by who speaks for it now. */
const NOT_SPOKEN_FOR: readonly unknown[] = [
  "CommitteeExpired",
  "DirectNotRequired",
  "NotAMember",
  "NotEnoughSignatures",
  "PlatformShared",
  "SeatsNotAscending",
  "SignerIsMarked",
  "SignerNotLive",
];

/**
 * Wants proofs again, in the caller's transaction, whose intents were refused because their signers count no more: seats
 * change, and a signer may end, between a signature and its transaction.
 */
export async function wantUnspoken(
  client: PoolClient,
  refused: readonly { readonly id: Bytes32; readonly error: IntentError }[],
): Promise<void> {
  const unspoken = refused.filter(({ error }) => NOT_SPOKEN_FOR.includes(error.details["error"]));
  for (const { id, error } of unspoken) {
    await client.query(
      `UPDATE proofs SET state = 'wanted', intent = NULL, attempts = attempts + 1, held_until = '-infinity',
         error = $2::jsonb, not_before = now() + least($4, $3 * power(2, least(attempts, 16))) * interval '1 second'
       WHERE id = $1 AND state = 'planned'`,
      [id, JSON.stringify(error), RETRY_SECONDS, MAX_RETRY_SECONDS],
    );
  }
}

/** Proofs between acceptance and the outbox. A replica that takes some holds them for a while; no two work on one. */
export class ProofStore {
  readonly #pool: Pool;
  readonly #recent: RecentEvidence;
  readonly #heldSeconds: number;

  constructor(pool: Pool, recent = new RecentEvidence(), heldSeconds = HELD_SECONDS) {
    this.#pool = pool;
    this.#recent = recent;
    this.#heldSeconds = heldSeconds;
  }

  /** Takes proofs whose time has come, oldest first. */
  async take(kind: "single" | "batchable", limit: number): Promise<OpenProof[]> {
    const { rows: taken } = await this.#pool.query<ProofRow>(
      `UPDATE proofs SET held_until = now() + $3 * interval '1 second' WHERE id IN (
         SELECT id FROM proofs
         WHERE state = 'wanted' AND batchable = $1 AND not_before <= now() AND held_until <= now()
         ORDER BY created_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING ${PROOF_COLUMNS}`,
      [kind === "batchable", limit, this.#heldSeconds],
    );
    const accepted = await this.#evidenceOf(taken.map((row) => row.evidence_digest));
    return taken.flatMap((row) => {
      const evidence = accepted.get(row.evidence_digest);
      return evidence === undefined
        ? []
        : [{ ...proofFromRow(row), accepted: evidence, attempts: row.attempts }];
    });
  }

  /** As it was accepted: what this process remembers, and what stands in the rows of the others. */
  async #evidenceOf(digests: readonly Bytes32[]): Promise<Map<Bytes32, AcceptedEvidence>> {
    const found = new Map<Bytes32, AcceptedEvidence>();
    for (const digest of digests) {
      const recent = this.#recent.take(digest);
      if (recent !== undefined) found.set(digest, recent);
    }
    const others = digests.filter((digest) => !found.has(digest));
    if (others.length === 0) return found;
    const { rows } = await this.#pool.query<EvidenceRow>(
      `SELECT ${EVIDENCE_COLUMNS} FROM evidence WHERE digest = ANY($1)`,
      [others],
    );
    for (const row of rows) found.set(row.digest, evidenceFromRow(row));
    return found;
  }

  /** Keeps what was taken for as long as `work` takes. */
  async holding<T>(ids: readonly Bytes32[], work: () => Promise<T>): Promise<T> {
    const renewing = setInterval(
      () => {
        const held = this.#pool.query(
          `UPDATE proofs SET held_until = now() + $2 * interval '1 second'
           WHERE id = ANY($1) AND state = 'wanted' AND held_until > now()`,
          [ids, this.#heldSeconds],
        );
        // Where it cannot be renewed another replica may do the same work: an effect has one id.
        held.catch(() => undefined);
      },
      (this.#heldSeconds * 1_000) / 3,
    );
    try {
      return await work();
    } finally {
      clearInterval(renewing);
    }
  }

  /** What could be taken now to be batched. */
  async queue(): Promise<BatchQueue> {
    const { rows } = await this.#pool.query<{ waiting: string; oldest_ms: string | null }>(
      `SELECT count(*) AS waiting, extract(epoch FROM now() - min(greatest(created_at, not_before))) * 1000 AS oldest_ms
       FROM proofs WHERE state = 'wanted' AND batchable AND not_before <= now() AND held_until <= now()`,
    );
    return { waiting: Number(rows[0]?.waiting ?? 0), oldestMs: Number(rows[0]?.oldest_ms ?? 0) };
  }

  /** A proof was made: its intent is planned, both or neither. */
  async planned(id: Bytes32, signer: Address, request: IntentRequest): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await insertIntents(client, signer, [request]);
      await client.query(
        "UPDATE proofs SET state = 'planned', intent = $2, error = NULL, held_until = '-infinity' WHERE id = $1 AND state = 'wanted'",
        [id, request.id],
      );
    });
  }

  /** These could not be made: they rest, longer each time. */
  async postpone(ids: readonly Bytes32[], error: CharterError): Promise<void> {
    await this.#pool.query(
      `UPDATE proofs SET attempts = attempts + 1, held_until = '-infinity', error = $2::jsonb,
         not_before = now() + least($4, $3 * power(2, least(attempts, 16))) * interval '1 second'
       WHERE id = ANY($1) AND state = 'wanted'`,
      [ids, JSON.stringify(error.toJSON()), RETRY_SECONDS, MAX_RETRY_SECONDS],
    );
  }

  /** These are not to be batched: they go one by one. */
  async single(ids: readonly Bytes32[]): Promise<void> {
    await this.#pool.query(
      "UPDATE proofs SET batchable = false, held_until = '-infinity' WHERE id = ANY($1) AND state = 'wanted'",
      [ids],
    );
  }

  /** Gives back what was taken and is not needed now. */
  async release(ids: readonly Bytes32[]): Promise<void> {
    await this.#pool.query("UPDATE proofs SET held_until = '-infinity' WHERE id = ANY($1)", [ids]);
  }

  /**
   * Ends what need not be proven any more: its verdict is over, or the same key has given newer evidence since.
   * @param now unix seconds. @return how many.
   */
  async giveUp(now: number, error: CharterError): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `UPDATE proofs SET state = 'failed', error = $2::jsonb FROM evidence
       WHERE evidence.digest = proofs.evidence_digest AND proofs.state = 'wanted' AND proofs.held_until <= now()
         AND (evidence.valid_until <= $1 OR (proofs.attempts > 0 AND EXISTS (
           SELECT FROM evidence AS newer WHERE newer.purpose = evidence.purpose AND newer.subject = evidence.subject
             AND newer.key = evidence.key AND newer.evidence_block > evidence.evidence_block)))`,
      [now, JSON.stringify(error.toJSON())],
    );
    return rowCount ?? 0;
  }

  async byId(id: Bytes32): Promise<ProofStanding | null> {
    const { rows } = await this.#pool.query<ProofStanding>(
      "SELECT state, intent, error FROM proofs WHERE id = $1",
      [id],
    );
    return rows[0] ?? null;
  }

  /** How many proofs stand in each state. */
  async counts(): Promise<Record<ProofStanding["state"], number>> {
    const { rows } = await this.#pool.query<{ state: ProofStanding["state"]; count: string }>(
      "SELECT state, count(*) AS count FROM proofs GROUP BY state",
    );
    const counts = { wanted: 0, planned: 0, batched: 0, failed: 0 };
    for (const { state, count } of rows) counts[state] = Number(count);
    return counts;
  }
}

const proofFromRow = (row: ProofRow): WantedProof => ({
  id: row.id,
  evidenceDigest: row.evidence_digest,
  system: row.system,
  batchable: row.batchable,
  combines: row.combines,
  keySignature: row.key_signature,
  operatorSignature: row.operator_signature,
});
