import type { Pool, PoolClient } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { Intent, IntentRequest, IntentState } from "../outbox/intent.ts";
import type { Fees } from "../outbox/seams.ts";
import { inTransaction } from "./transaction.ts";

/** The right to write for one signer; a later lease has a higher fence, and ends the writes of this one. */
export interface SignerLease {
  readonly signer: Address;
  readonly fence: bigint;
  /** Every nonce below was given out. */
  readonly nextNonce: bigint;
}

/** Signed bytes as stored; one intent has several when it was replaced by higher fees. */
export interface SignedTransaction extends Fees {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly gas: bigint;
}

/** An intent that holds a nonce, with the bytes signed for it, newest last. */
export interface InFlight extends Intent {
  readonly nonce: bigint;
  readonly transactions: readonly (SignedTransaction & { readonly sentAtBlock: bigint | null })[];
}

interface IntentRow {
  id: Bytes32;
  destination: Address;
  data: Hex;
  label: string;
  state: IntentState;
  nonce: string | null;
  transaction_hash: Hex | null;
  included_number: string | null;
  included_hash: Bytes32 | null;
  error: Intent["error"];
}

interface TransactionRow {
  intent_id: Bytes32;
  hash: Hex;
  raw: Hex;
  gas: string;
  max_fee_per_gas: string;
  max_priority_fee_per_gas: string;
  sent_at_block: string | null;
}

const COLUMNS =
  "id, destination, data, label, state, nonce, transaction_hash, included_number, included_hash, error";

const fromRow = (row: IntentRow): Intent => ({
  id: row.id,
  to: row.destination,
  data: row.data,
  label: row.label,
  state: row.state,
  nonce: row.nonce === null ? null : BigInt(row.nonce),
  transactionHash: row.transaction_hash,
  includedIn:
    row.included_number === null || row.included_hash === null
      ? null
      : { number: BigInt(row.included_number), hash: row.included_hash },
  error: row.error,
});

/** What a step writes; absent columns stay. */
interface Step {
  readonly state: IntentState;
  readonly nonce?: null;
  readonly transactionHash?: Hex | null;
  readonly included?: { readonly number: bigint; readonly hash: Bytes32 } | null;
  readonly error?: CharterError | null;
  /** Milliseconds until a planned intent is tried again. */
  readonly delayMs?: number;
}

const lost = (lease: SignerLease) =>
  new CharterError("outbox/lease-lost", "another replica writes for this signer now", {
    signer: lease.signer,
    fence: lease.fence,
  });

/** Intents, their signed bytes, and who may write them. Each method is one transaction. */
export class IntentStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Plans an intent, once: the same id gives the stored one. A failed one is planned again.
   * @throws CharterError `outbox/conflicting-intent` when the id stands for another call.
   */
  async plan(signer: Address, request: IntentRequest): Promise<Intent> {
    const { rows } = await this.#pool.query<IntentRow>(
      `INSERT INTO intents (id, signer, destination, data, label, state) VALUES ($1, $2, $3, $4, $5, 'planned')
       ON CONFLICT (id) DO UPDATE SET
         state = 'planned', signer = $2, data = $4, nonce = NULL, transaction_hash = NULL, included_number = NULL,
         included_hash = NULL, attempts = 0, not_before = now(), updated_at = now()
       WHERE intents.state = 'failed' AND intents.destination = $3
       RETURNING ${COLUMNS}`,
      [request.id, signer, request.to, request.data, request.label],
    );
    const intent = rows[0] ? fromRow(rows[0]) : await this.byId(request.id);
    if (intent?.to !== request.to) {
      throw new CharterError("outbox/conflicting-intent", "this idempotency key stands for another call", {
        id: request.id,
        expected: intent?.to,
        actual: request.to,
      });
    }
    return intent;
  }

  async byId(id: Bytes32): Promise<Intent | null> {
    const { rows } = await this.#pool.query<IntentRow>(`SELECT ${COLUMNS} FROM intents WHERE id = $1`, [id]);
    return rows[0] ? fromRow(rows[0]) : null;
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
      `SELECT ${COLUMNS} FROM intents WHERE signer = $1 AND state = 'planned' AND not_before <= now()
       ORDER BY created_at, id LIMIT $2`,
      [signer, limit],
    );
    return rows.map(fromRow);
  }

  /**
   * planned → signed: gives the next nonce (at least `atLeast`) and keeps what `sign` makes of it, in one transaction
   * under the lease's row lock: a crash leaves neither a nonce without bytes nor bytes without a nonce.
   */
  async sign(
    lease: SignerLease,
    id: Bytes32,
    atLeast: bigint,
    sign: (nonce: bigint) => Promise<SignedTransaction>,
  ): Promise<SignedTransaction> {
    return inTransaction(this.#pool, async (client) => {
      const { rows } = await client.query<{ next_nonce: string }>(
        "SELECT next_nonce FROM signer_lease WHERE signer = $1 AND fence = $2 FOR UPDATE",
        [lease.signer, lease.fence.toString()],
      );
      if (!rows[0]) throw lost(lease);
      const next = BigInt(rows[0].next_nonce);
      const nonce = next > atLeast ? next : atLeast;
      const transaction = await sign(nonce);
      const { rowCount } = await client.query(
        `UPDATE intents SET state = 'signed', nonce = $2, error = NULL, updated_at = now()
         WHERE id = $1 AND state = 'planned'`,
        [id, nonce.toString()],
      );
      if (rowCount !== 1)
        throw new CharterError("outbox/not-planned", "only a planned intent can be signed", { id });
      await insertTransaction(client, id, nonce, transaction);
      await client.query("UPDATE signer_lease SET next_nonce = $2 WHERE signer = $1", [
        lease.signer,
        (nonce + 1n).toString(),
      ]);
      return transaction;
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
      await insertTransaction(client, request.id, nonce, transaction);
    });
  }

  /** Keeps a replacement's bytes before they are sent. */
  async replace(lease: SignerLease, intent: InFlight, transaction: SignedTransaction): Promise<void> {
    await this.#fenced(lease, (client) => insertTransaction(client, intent.id, intent.nonce, transaction));
  }

  /** Bytes were handed to the node, at this height. */
  async sent(lease: SignerLease, id: Bytes32, hash: Hex, atBlock: bigint): Promise<void> {
    await this.#fenced(lease, async (client) => {
      await client.query(
        "UPDATE transactions SET sent_at_block = coalesce(sent_at_block, $2) WHERE hash = $1",
        [hash, atBlock.toString()],
      );
      await client.query(
        "UPDATE intents SET state = 'sent', transaction_hash = NULL, error = NULL, updated_at = now() WHERE id = $1",
        [id],
      );
    });
  }

  /** Any other step of an intent. */
  async step(lease: SignerLease, id: Bytes32, step: Step): Promise<void> {
    const set = (flag: boolean, value: unknown) => [flag, value];
    await this.#fenced(lease, (client) =>
      client.query(
        `UPDATE intents SET state = $2,
           nonce = CASE WHEN $3 THEN NULL ELSE nonce END,
           transaction_hash = CASE WHEN $4 THEN $5 ELSE transaction_hash END,
           included_number = CASE WHEN $6 THEN $7::bigint ELSE included_number END,
           included_hash = CASE WHEN $6 THEN $8 ELSE included_hash END,
           error = CASE WHEN $9 THEN $10::jsonb ELSE error END,
           attempts = attempts + 1,
           not_before = now() + $11 * interval '1 millisecond', updated_at = now()
         WHERE id = $1`,
        [
          id,
          step.state,
          step.nonce === null,
          ...set(step.transactionHash !== undefined, step.transactionHash ?? null),
          ...set(step.included !== undefined, step.included?.number.toString() ?? null),
          step.included?.hash ?? null,
          ...set(step.error !== undefined, step.error ? JSON.stringify(step.error.toJSON()) : null),
          step.delayMs ?? 0,
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
      `SELECT ${COLUMNS} FROM intents WHERE ${where} AND nonce IS NOT NULL ORDER BY nonce`,
      [...parameters],
    );
    if (intents.rows.length === 0) return [];
    const transactions = await this.#pool.query<TransactionRow>(
      `SELECT intent_id, hash, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, sent_at_block
       FROM transactions JOIN intents ON intents.id = intent_id AND intents.nonce = transactions.nonce
       WHERE intent_id = ANY($1) ORDER BY max_fee_per_gas`,
      [intents.rows.map((row) => row.id)],
    );
    return intents.rows.map((row) => ({
      ...fromRow(row),
      nonce: BigInt(row.nonce ?? 0),
      transactions: transactions.rows
        .filter((transaction) => transaction.intent_id === row.id)
        .map((transaction) => ({
          hash: transaction.hash,
          raw: transaction.raw,
          gas: BigInt(transaction.gas),
          maxFeePerGas: BigInt(transaction.max_fee_per_gas),
          maxPriorityFeePerGas: BigInt(transaction.max_priority_fee_per_gas),
          sentAtBlock: transaction.sent_at_block === null ? null : BigInt(transaction.sent_at_block),
        })),
    }));
  }
}

const insertTransaction = (client: PoolClient, id: Bytes32, nonce: bigint, transaction: SignedTransaction) =>
  client.query(
    `INSERT INTO transactions (hash, intent_id, nonce, raw, gas, max_fee_per_gas, max_priority_fee_per_gas)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING`,
    [
      transaction.hash,
      id,
      nonce.toString(),
      transaction.raw,
      transaction.gas.toString(),
      transaction.maxFeePerGas.toString(),
      transaction.maxPriorityFeePerGas.toString(),
    ],
  );
