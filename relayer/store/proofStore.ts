import type { Pool, PoolClient } from "pg";

import type { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { IntentRequest } from "../outbox/intent.ts";
import { shardOf } from "../replicas/shards.ts";
import { EVIDENCE_COLUMNS, evidenceFromRow } from "./evidenceRows.ts";
import type { AcceptedEvidence, EvidenceRow } from "./evidenceRows.ts";
import { insertIntents } from "./intentRows.ts";
import { RecentEvidence } from "./recentEvidence.ts";
import { REFUSED_FOR_GOOD } from "./refusedForGood.ts";
import { inTransaction } from "./transaction.ts";
import { wordArray } from "./valueRows.ts";
import { fencesOf, takenOver } from "./workStore.ts";
import type { WorkLease } from "./workStore.ts";

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

/** One taking of a proof: whoever took it later has a higher number, and ends the writes of this one. */
export interface HeldProof {
  readonly id: Bytes32;
  readonly hold: bigint;
}

/** A proof that is to be made, with all that it is made of. */
export interface OpenProof extends WantedProof, HeldProof {
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
  hold: string;
}

const PROOF_COLUMNS =
  "proofs.id, evidence_digest, system, batchable, combines, key_signature, operator_signature, attempts, hold";
/** Of the proofs in `$1` and `$2`, those that nobody took since. */
const STILL_HELD =
  "FROM unnest($1::text[], $2::bigint[]) AS mine (id, hold) WHERE proofs.id = mine.id AND proofs.hold = mine.hold AND state = 'wanted'";

/** How long a replica that is heard of no more keeps what it took. */
const HELD_SECONDS = 15;
/** How long a proof rests that could not be made, or had no effect: a second, doubled each time up to a minute. */
export const RESTING = "least(60, power(2, least(proofs.attempts, 16))) * interval '1 second'";

/**
 * Writes wanted proofs in the caller's transaction, each for its app or operator. What has failed, or whose intent has, is
 * wanted again.
 */
export async function wantProofs(
  client: PoolClient,
  proofs: readonly (WantedProof & { readonly subject: Address })[],
): Promise<void> {
  if (proofs.length === 0) return;
  const sorted = [...new Map(proofs.map((proof) => [proof.id, proof])).values()].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  await client.query(
    `INSERT INTO proofs (id, evidence_digest, system, batchable, combines, key_signature, operator_signature, shard)
     SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::boolean[], $5::boolean[], $6::text[], $7::text[], $8::text[])
     ON CONFLICT (id) DO UPDATE SET
       state = 'wanted', attempts = 0, not_before = now(), held_until = '-infinity', key_signature = excluded.key_signature,
       operator_signature = excluded.operator_signature, error = NULL, intent = NULL
     WHERE proofs.state = 'failed' OR (proofs.state = 'planned' AND EXISTS
       (SELECT FROM intents WHERE intents.id = proofs.intent AND intents.state IN ('failed', 'replaced')))`,
    [
      wordArray(sorted.map(({ id }) => id)),
      wordArray(sorted.map(({ evidenceDigest }) => evidenceDigest)),
      sorted.map(({ system }) => system),
      sorted.map(({ batchable }) => batchable),
      sorted.map(({ combines }) => combines),
      wordArray(sorted.map(({ keySignature }) => keySignature)),
      sorted.map(({ operatorSignature }) => operatorSignature),
      sorted.map(({ subject }) => shardOf(subject)),
    ],
  );
}

/**
 * These proofs go on by this intent, in the caller's transaction, if nobody has taken one of them since.
 * @throws CharterError `replica/lease-lost`.
 */
export async function passOn(
  client: PoolClient,
  held: readonly HeldProof[],
  state: "planned" | "batched",
  intent: Bytes32,
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE proofs SET state = $3, intent = $4, error = NULL, held_until = '-infinity' ${STILL_HELD}`,
    [...holdsOf(held), state, intent],
  );
  if (rowCount !== held.length) throw takenOver("proofs", { expected: held.length, actual: rowCount });
}

const holdsOf = (held: readonly HeldProof[]): [string, string] => [
  wordArray(held.map(({ id }) => id)),
  wordArray(held.map(({ hold }) => hold)),
];

/**
 * Proofs between acceptance and the outbox. The replica that has the lease on their apps takes some and holds them for a
 * while. Where it loses that lease another takes them at once; whoever took a proof last writes, and nobody else.
 */
export class ProofStore {
  readonly #pool: Pool;
  readonly #recent: RecentEvidence;
  readonly #heldSeconds: number;

  constructor(pool: Pool, recent = new RecentEvidence(), heldSeconds = HELD_SECONDS) {
    this.#pool = pool;
    this.#recent = recent;
    this.#heldSeconds = heldSeconds;
  }

  /** Takes proofs of these leases' apps whose time has come, oldest first. */
  async take(
    kind: "single" | "batchable",
    limit: number,
    leases: readonly WorkLease[],
  ): Promise<OpenProof[]> {
    if (leases.length === 0) return [];
    const { rows: taken } = await this.#pool.query<ProofRow>(
      `WITH due AS MATERIALIZED (
         SELECT proofs.id, work_leases.fence FROM proofs
         JOIN unnest($4::text[], $5::bigint[]) AS mine (name, fence) ON mine.name = proofs.shard
         JOIN work_leases ON work_leases.name = mine.name AND work_leases.fence = mine.fence AND expires_at >= now()
         WHERE state = 'wanted' AND batchable = $1 AND not_before <= now()
           AND (held_until <= now() OR proofs.fence < work_leases.fence)
         ORDER BY created_at, id LIMIT $2 FOR UPDATE OF proofs SKIP LOCKED)
       UPDATE proofs SET held_until = now() + $3 * interval '1 second', hold = hold + 1, fence = due.fence
       FROM due WHERE proofs.id = due.id RETURNING ${PROOF_COLUMNS}`,
      [kind === "batchable", limit, this.#heldSeconds, ...fencesOf(leases)],
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
      `SELECT ${EVIDENCE_COLUMNS} FROM evidence WHERE digest = ANY($1::text[])`,
      [wordArray(others)],
    );
    for (const row of rows) found.set(row.digest, evidenceFromRow(row));
    return found;
  }

  /** Keeps what was taken for as long as `work` takes. */
  async holding<T>(held: readonly HeldProof[], work: () => Promise<T>): Promise<T> {
    const renewing = setInterval(
      () => {
        const renewed = this.#pool.query(
          `UPDATE proofs SET held_until = now() + $3 * interval '1 second' ${STILL_HELD}`,
          [...holdsOf(held), this.#heldSeconds],
        );
        // Where it cannot be renewed another taking may follow: it ends the writes of this one.
        renewed.catch(() => undefined);
      },
      (this.#heldSeconds * 1_000) / 3,
    );
    try {
      return await work();
    } finally {
      clearInterval(renewing);
    }
  }

  /** What could be taken under these leases now to be batched. */
  async queue(leases: readonly WorkLease[]): Promise<BatchQueue> {
    const { rows } = await this.#pool.query<{ waiting: string; oldest_ms: string | null }>(
      `SELECT count(*) AS waiting, extract(epoch FROM now() - min(greatest(created_at, not_before))) * 1000 AS oldest_ms
       FROM proofs JOIN unnest($1::text[], $2::bigint[]) AS mine (name, fence) ON mine.name = proofs.shard
       WHERE state = 'wanted' AND batchable AND not_before <= now()
         AND (held_until <= now() OR proofs.fence < mine.fence)`,
      fencesOf(leases),
    );
    return { waiting: Number(rows[0]?.waiting ?? 0), oldestMs: Number(rows[0]?.oldest_ms ?? 0) };
  }

  /** A proof was made: its intent is planned, both or neither. @throws CharterError `replica/lease-lost`. */
  async planned(held: HeldProof, signer: Address, request: IntentRequest): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await passOn(client, [held], "planned", request.id);
      await insertIntents(client, signer, [request]);
    });
  }

  /** These could not be made: they rest, longer each time. */
  async postpone(held: readonly HeldProof[], error: CharterError): Promise<void> {
    await this.#pool.query(
      `UPDATE proofs SET attempts = attempts + 1, held_until = '-infinity', error = $3::jsonb,
         not_before = now() + ${RESTING} ${STILL_HELD}`,
      [...holdsOf(held), JSON.stringify(error.toJSON())],
    );
  }

  /** These are not to be batched: they go one by one. */
  async single(held: readonly HeldProof[]): Promise<void> {
    await this.#pool.query(
      `UPDATE proofs SET batchable = false, held_until = '-infinity' ${STILL_HELD}`,
      holdsOf(held),
    );
  }

  /**
   * Proofs whose intent has ended without its effect, and for good: no transaction of it can be mined any more. They are
   * made anew, since what the chain refused may be the proof (of a committee that has changed) or the moment; where the
   * contracts would refuse whatever proof of this evidence, they end.
   */
  async revive(): Promise<void> {
    await this.#pool.query(
      `UPDATE proofs SET error = intents.error, attempts = proofs.attempts + 1, held_until = '-infinity',
         not_before = now() + ${RESTING},
         state = CASE WHEN ${REFUSED_FOR_GOOD} THEN 'failed' ELSE 'wanted' END,
         intent = CASE WHEN ${REFUSED_FOR_GOOD} THEN intent END
       FROM intents WHERE intents.id = proofs.intent AND proofs.state = 'planned'
         AND intents.state IN ('failed', 'replaced')`,
    );
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

const proofFromRow = (row: ProofRow): WantedProof & HeldProof => ({
  id: row.id,
  evidenceDigest: row.evidence_digest,
  system: row.system,
  batchable: row.batchable,
  combines: row.combines,
  keySignature: row.key_signature,
  operatorSignature: row.operator_signature,
  hold: BigInt(row.hold),
});
