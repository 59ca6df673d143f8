import type { PoolClient } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import type { Intent, IntentError, IntentRequest, IntentState } from "../outbox/intent.ts";
import type { Fees } from "../outbox/seams.ts";

/** Signed bytes as stored; one intent has several when it was replaced by higher fees. */
export interface SignedTransaction extends Fees {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly gas: bigint;
  /** They use up the nonce and do nothing else. */
  readonly cancels: boolean;
}

/** An intent that holds a nonce, with the bytes signed for it, newest last. */
export interface InFlight extends Intent {
  readonly nonce: bigint;
  /** Why it is being given up. */
  readonly cancelled: IntentError | null;
  readonly transactions: readonly (SignedTransaction & { readonly sentAtBlock: bigint | null })[];
}

/** A row of `intents`. */
export interface IntentRow {
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
  deadline: string | null;
  refusals: number;
  cancelled: IntentError | null;
}

/** A row of `transactions`. */
export interface TransactionRow {
  intent_id: Bytes32;
  hash: Hex;
  raw: Hex;
  gas: string;
  max_fee_per_gas: string;
  max_priority_fee_per_gas: string;
  sent_at_block: string | null;
  cancels: boolean;
}

export const INTENT_COLUMNS =
  "id, destination, data, label, state, nonce, transaction_hash, included_number, included_hash, error, deadline, refusals, cancelled";

export const intentFromRow = (row: IntentRow): Intent => ({
  id: row.id,
  to: row.destination,
  data: row.data,
  label: row.label,
  ...(row.deadline === null ? {} : { deadline: Number(row.deadline) }),
  state: row.state,
  nonce: row.nonce === null ? null : BigInt(row.nonce),
  transactionHash: row.transaction_hash,
  includedIn:
    row.included_number === null || row.included_hash === null
      ? null
      : { number: BigInt(row.included_number), hash: row.included_hash },
  error: row.error,
  refusals: row.refusals,
});

export const transactionFromRow = (row: TransactionRow): InFlight["transactions"][number] => ({
  hash: row.hash,
  raw: row.raw,
  gas: BigInt(row.gas),
  maxFeePerGas: BigInt(row.max_fee_per_gas),
  maxPriorityFeePerGas: BigInt(row.max_priority_fee_per_gas),
  cancels: row.cancels,
  sentAtBlock: row.sent_at_block === null ? null : BigInt(row.sent_at_block),
});

/**
 * Plans intents in the caller's transaction, each once: the same id gives the stored one, in the order asked. What failed
 * or was replaced is planned again.
 * @throws CharterError `outbox/conflicting-intent` when an id stands for another call.
 */
export async function insertIntents(
  client: Pick<PoolClient, "query">,
  signer: Address,
  requests: readonly IntentRequest[],
): Promise<Intent[]> {
  if (requests.length === 0) return [];
  const sorted = [...new Map(requests.map((request) => [request.id, request])).values()].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  await client.query(
    `INSERT INTO intents (id, signer, destination, data, label, deadline, state)
     SELECT id, $1, destination, data, label, deadline, 'planned'
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
       AS asked (id, destination, data, label, deadline)
     ON CONFLICT (id) DO UPDATE SET
       state = 'planned', signer = excluded.signer, data = excluded.data, label = excluded.label,
       deadline = excluded.deadline, nonce = NULL, transaction_hash = NULL, included_number = NULL, included_hash = NULL,
       attempts = 0, refusals = 0, cancelled = NULL, not_before = now(), updated_at = now()
     WHERE intents.state IN ('failed', 'replaced') AND intents.destination = excluded.destination`,
    [
      signer,
      sorted.map(({ id }) => id),
      sorted.map(({ to }) => to),
      sorted.map(({ data }) => data),
      sorted.map(({ label }) => label),
      sorted.map(({ deadline }) => deadline ?? null),
    ],
  );
  const { rows } = await client.query<IntentRow>(`SELECT ${INTENT_COLUMNS} FROM intents WHERE id = ANY($1)`, [
    sorted.map(({ id }) => id),
  ]);
  const stored = new Map(rows.map((row) => [row.id, intentFromRow(row)]));
  return requests.map((request) => {
    const intent = stored.get(request.id);
    if (intent?.to === request.to) return intent;
    throw new CharterError("outbox/conflicting-intent", "this idempotency key stands for another call", {
      id: request.id,
      expected: intent?.to,
      actual: request.to,
    });
  });
}

/** Keeps signed bytes, each beside its intent and nonce. */
export async function insertTransactions(
  client: Pick<PoolClient, "query">,
  entries: readonly {
    readonly id: Bytes32;
    readonly nonce: bigint;
    readonly transaction: SignedTransaction;
  }[],
): Promise<void> {
  await client.query(
    `INSERT INTO transactions (hash, intent_id, nonce, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, cancels)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[],
       $8::boolean[]) ON CONFLICT (hash) DO NOTHING`,
    [
      entries.map(({ transaction }) => transaction.hash),
      entries.map(({ id }) => id),
      entries.map(({ nonce }) => nonce.toString()),
      entries.map(({ transaction }) => transaction.raw),
      entries.map(({ transaction }) => transaction.gas.toString()),
      entries.map(({ transaction }) => transaction.maxFeePerGas.toString()),
      entries.map(({ transaction }) => transaction.maxPriorityFeePerGas.toString()),
      entries.map(({ transaction }) => transaction.cancels),
    ],
  );
}
