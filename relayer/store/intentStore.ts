import type { Pool, PoolClient } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { Intent, IntentError, IntentRequest, IntentState } from "../outbox/intent.ts";
import { INTENT_COLUMNS, insertIntents, insertTransactions } from "./intentRows.ts";
import { intentFromRow, transactionFromRow } from "./intentRows.ts";
import type { InFlight, IntentRow, SignedTransaction, TransactionRow } from "./intentRows.ts";
import { inTransaction } from "./transaction.ts";

export type { InFlight, SignedTransaction } from "./intentRows.ts";

/** The right to write for one signer; a later lease has a higher fence, and ends the writes of this one. */
export interface SignerLease {
  readonly signer: Address;
  readonly fence: bigint;
  /** Every nonce below was given out. */
  readonly nextNonce: bigint;
}

/** What a step writes; absent columns stay. */
export interface Step {
  readonly id: Bytes32;
  readonly state: IntentState;
  readonly nonce?: null;
  readonly transactionHash?: Hex | null;
  readonly included?: { readonly number: bigint; readonly hash: Bytes32 } | null;
  readonly error?: IntentError | CharterError | null;
  /** The node refused it: counts one more. */
  readonly refused?: boolean;
  /** Milliseconds until a planned intent is tried again. */
  readonly delayMs?: number;
}

const lost = (lease: SignerLease) =>
  new CharterError("outbox/lease-lost", "another replica writes for this signer now", {
    signer: lease.signer,
    fence: lease.fence,
  });

const json = (error: IntentError | CharterError): string =>
  JSON.stringify(error instanceof CharterError ? error.toJSON() : error);

/** Intents, their signed bytes, and who may write them. Each method is one transaction. */
export class IntentStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Plans an intent, once: the same id gives the stored one. One that failed or was replaced is planned again.
   * @throws CharterError `outbox/conflicting-intent` when the id stands for another call.
   */
  async plan(signer: Address, request: IntentRequest): Promise<Intent> {
    const [intent] = await insertIntents(this.#pool, signer, [request]);
    return intent as Intent;
  }

  async byId(id: Bytes32): Promise<Intent | null> {
    const { rows } = await this.#pool.query<IntentRow>(
      `SELECT ${INTENT_COLUMNS} FROM intents WHERE id = $1`,
      [id],
    );
    return rows[0] ? intentFromRow(rows[0]) : null;
  }

  /** How many intents stand in each state. */
  async counts(): Promise<Record<IntentState, number>> {
    const { rows } = await this.#pool.query<{ state: IntentState; count: string }>(
      "SELECT state, count(*) AS count FROM intents GROUP BY state",
    );
    const counts: Record<IntentState, number> = {
      planned: 0,
      signed: 0,
      sent: 0,
      included: 0,
      final: 0,
      failed: 0,
      replaced: 0,
    };
    for (const { state, count } of rows) counts[state] = Number(count);
    return counts;
  }

  /**
   * Takes or renews the lease, by the database's clock; null while another holder has it. A holder that comes back
   * under its own name gets a new fence when `renew` is not its current one.
   */
  async acquire(signer: Address, holder: string, ttlMs: number, renew?: bigint): Promise<SignerLease | null> {
    const { rows } = await this.#pool.query<{ fence: string; next_nonce: string }>(
      `INSERT INTO signer_lease AS held (signer, fence, holder, expires_at)
       VALUES ($1, 1, $2, now() + $3 * interval '1 millisecond')
       ON CONFLICT (signer) DO UPDATE SET
         fence = CASE WHEN held.holder = $2 AND held.fence = $4 THEN held.fence ELSE held.fence + 1 END,
         holder = $2, expires_at = now() + $3 * interval '1 millisecond'
       WHERE held.holder = $2 OR held.expires_at < now()
       RETURNING fence, next_nonce`,
      [signer, holder, ttlMs, renew?.toString() ?? null],
    );
    const row = rows[0];
    return row ? { signer, fence: BigInt(row.fence), nextNonce: BigInt(row.next_nonce) } : null;
  }

  /** Keeps a lease in the midst of work. @throws CharterError `outbox/lease-lost`. */
  async renew(lease: SignerLease, ttlMs: number): Promise<void> {
    const { rowCount } = await this.#pool.query(
      "UPDATE signer_lease SET expires_at = now() + $3 * interval '1 millisecond' WHERE signer = $1 AND fence = $2",
      [lease.signer, lease.fence.toString(), ttlMs],
    );
    if (rowCount !== 1) throw lost(lease);
  }

  /** Lets another replica take over at once. */
  async release(lease: SignerLease): Promise<void> {
    await this.#pool.query(
      "UPDATE signer_lease SET expires_at = '-infinity' WHERE signer = $1 AND fence = $2",
      [lease.signer, lease.fence.toString()],
    );
  }

  /** Intents between signing and finality, by nonce. */
  async inFlight(signer: Address): Promise<InFlight[]> {
    return this.#withTransactions("signer = $1 AND state IN ('signed', 'sent', 'included')", [signer]);
  }

  /** The intent that stands on a nonce, in any state. */
  async byNonce(signer: Address, nonce: bigint): Promise<InFlight | null> {
    const found = await this.#withTransactions("signer = $1 AND nonce = $2", [signer, nonce.toString()]);
    return found[0] ?? null;
  }

  /** Planned intents whose time has come, oldest first. */
  async ready(signer: Address, limit: number): Promise<Intent[]> {
    const { rows } = await this.#pool.query<IntentRow>(
      `SELECT ${INTENT_COLUMNS} FROM intents WHERE signer = $1 AND state = 'planned' AND not_before <= now()
       ORDER BY created_at, id LIMIT $2`,
      [signer, limit],
    );
    return rows.map(intentFromRow);
  }

  /**
   * planned → signed: gives the next nonces (at least `atLeast`) in the order of `ids`, and keeps what `sign` makes of
   * each, in one transaction under the lease's row lock: a crash leaves neither a nonce without bytes nor bytes without
   * a nonce.
   */
  async sign(
    lease: SignerLease,
    ids: readonly Bytes32[],
    atLeast: bigint,
    sign: (id: Bytes32, nonce: bigint) => Promise<SignedTransaction>,
  ): Promise<SignedTransaction[]> {
    return inTransaction(this.#pool, async (client) => {
      const { rows } = await client.query<{ next_nonce: string }>(
        "SELECT next_nonce FROM signer_lease WHERE signer = $1 AND fence = $2 FOR UPDATE",
        [lease.signer, lease.fence.toString()],
      );
      if (!rows[0]) throw lost(lease);
      const next = BigInt(rows[0].next_nonce);
      const first = next > atLeast ? next : atLeast;
      const entries = await Promise.all(
        ids.map(async (id, index) => {
          const nonce = first + BigInt(index);
          return { id, nonce, transaction: await sign(id, nonce) };
        }),
      );
      const { rowCount } = await client.query(
        `UPDATE intents SET state = 'signed', nonce = given.nonce, error = NULL, updated_at = now()
         FROM unnest($1::text[], $2::bigint[]) AS given (id, nonce)
         WHERE intents.id = given.id AND state = 'planned'`,
        [ids, entries.map(({ nonce }) => nonce.toString())],
      );
      if (rowCount !== ids.length)
        throw new CharterError("outbox/not-planned", "only a planned intent can be signed", { ids });
      await insertTransactions(client, entries);
      await client.query("UPDATE signer_lease SET next_nonce = $2 WHERE signer = $1", [
        lease.signer,
        (first + BigInt(ids.length)).toString(),
      ]);
      return entries.map(({ transaction }) => transaction);
    });
  }

  /** Keeps the bytes of a nonce that nothing of ours stands on: they fill a gap and mean nothing. */
  async fill(
    lease: SignerLease,
    request: IntentRequest,
    nonce: bigint,
    transaction: SignedTransaction,
  ): Promise<void> {
    await this.#fenced(lease, async (client) => {
      await client.query(
        `INSERT INTO intents (id, signer, destination, data, label, state, nonce)
         VALUES ($1, $2, $3, $4, $5, 'signed', $6)`,
        [request.id, lease.signer, request.to, request.data, request.label, nonce.toString()],
      );
      await insertTransactions(client, [{ id: request.id, nonce, transaction }]);
    });
  }

  /** Keeps a replacement's bytes before they are sent; what they replace is given up where they cancel it. */
  async replace(
    lease: SignerLease,
    { id, nonce }: InFlight,
    transaction: SignedTransaction,
    cancelled?: CharterError,
  ): Promise<void> {
    await this.#fenced(lease, async (client) => {
      await insertTransactions(client, [{ id, nonce, transaction }]);
      if (cancelled === undefined) return;
      await client.query(
        "UPDATE intents SET cancelled = $2::jsonb, error = $2::jsonb, updated_at = now() WHERE id = $1",
        [id, json(cancelled)],
      );
    });
  }

  /** Bytes were handed to the node, at this height. */
  async sent(
    lease: SignerLease,
    all: readonly { readonly id: Bytes32; readonly hash: Hex }[],
    atBlock: bigint,
  ): Promise<void> {
    if (all.length === 0) return;
    await this.#fenced(lease, async (client) => {
      await client.query(
        "UPDATE transactions SET sent_at_block = coalesce(sent_at_block, $2) WHERE hash = ANY($1)",
        [all.map(({ hash }) => hash), atBlock.toString()],
      );
      await client.query(
        `UPDATE intents SET state = 'sent', transaction_hash = NULL, error = cancelled, refusals = 0, updated_at = now()
         WHERE id = ANY($1)`,
        [all.map(({ id }) => id)],
      );
    });
  }

  /** Any other steps of intents, all or none. */
  async step(lease: SignerLease, steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return;
    await this.#fenced(lease, (client) =>
      client.query(
        `UPDATE intents SET state = given.state,
           nonce = CASE WHEN frees THEN NULL ELSE intents.nonce END,
           transaction_hash = CASE WHEN sets_hash THEN given.hash ELSE transaction_hash END,
           included_number = CASE WHEN sets_included THEN given.included_number ELSE intents.included_number END,
           included_hash = CASE WHEN sets_included THEN given.included_hash ELSE intents.included_hash END,
           error = CASE WHEN sets_error THEN given.error ELSE intents.error END,
           refusals = refusals + refused::int, attempts = attempts + 1,
           not_before = now() + delay_ms * interval '1 millisecond', updated_at = now()
         FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::text[], $6::boolean[], $7::bigint[],
           $8::text[], $9::boolean[], $10::jsonb[], $11::boolean[], $12::bigint[])
           AS given (id, state, frees, sets_hash, hash, sets_included, included_number, included_hash, sets_error, error,
             refused, delay_ms)
         WHERE intents.id = given.id`,
        [
          steps.map(({ id }) => id),
          steps.map(({ state }) => state),
          steps.map(({ nonce }) => nonce === null),
          steps.map(({ transactionHash }) => transactionHash !== undefined),
          steps.map(({ transactionHash }) => transactionHash ?? null),
          steps.map(({ included }) => included !== undefined),
          steps.map(({ included }) => included?.number.toString() ?? null),
          steps.map(({ included }) => included?.hash ?? null),
          steps.map(({ error }) => error !== undefined),
          steps.map(({ error }) => (error ? json(error) : null)),
          steps.map(({ refused }) => refused ?? false),
          steps.map(({ delayMs }) => delayMs ?? 0),
        ],
      ),
    );
  }

  async #fenced(lease: SignerLease, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        "SELECT FROM signer_lease WHERE signer = $1 AND fence = $2 FOR SHARE",
        [lease.signer, lease.fence.toString()],
      );
      if (rowCount !== 1) throw lost(lease);
      await work(client);
    });
  }

  async #withTransactions(where: string, parameters: readonly unknown[]): Promise<InFlight[]> {
    const intents = await this.#pool.query<IntentRow>(
      `SELECT ${INTENT_COLUMNS} FROM intents WHERE ${where} AND nonce IS NOT NULL ORDER BY nonce`,
      [...parameters],
    );
    if (intents.rows.length === 0) return [];
    const { rows } = await this.#pool.query<TransactionRow>(
      `SELECT intent_id, hash, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, sent_at_block, cancels
       FROM transactions JOIN intents ON intents.id = intent_id AND intents.nonce = transactions.nonce
       WHERE intent_id = ANY($1) ORDER BY cancels, max_fee_per_gas`,
      [intents.rows.map((row) => row.id)],
    );
    const byIntent = Map.groupBy(rows, (row) => row.intent_id);
    return intents.rows.map((row) => ({
      ...intentFromRow(row),
      nonce: BigInt(row.nonce ?? 0),
      cancelled: row.cancelled,
      transactions: (byIntent.get(row.id) ?? []).map(transactionFromRow),
    }));
  }
}
