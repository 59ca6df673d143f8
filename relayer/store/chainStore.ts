import type { Pool, PoolClient } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { RawLog } from "../../protocol/state/decodeLog.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { inTransaction } from "./transaction.ts";

/** What a database belongs to: never two chains or deployments in one. */
export interface ChainIdentity {
  readonly chainId: number;
  readonly genesisHash: Bytes32;
  readonly appRegistry: Address;
}

interface BlockRow {
  number: string;
  hash: Bytes32;
  parent_hash: Bytes32;
  timestamp: string;
}

const blockFromRow = (row: BlockRow): BlockRef => ({
  number: BigInt(row.number),
  hash: row.hash,
  parentHash: row.parent_hash,
  timestamp: Number(row.timestamp),
});

const insertBlocks = (client: PoolClient, blocks: readonly BlockRef[]) =>
  client.query(
    `INSERT INTO blocks (number, hash, parent_hash, timestamp)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) ON CONFLICT (number) DO NOTHING`,
    [
      blocks.map((block) => block.number.toString()),
      blocks.map((block) => block.hash),
      blocks.map((block) => block.parentHash),
      blocks.map((block) => block.timestamp),
    ],
  );

/** One follower writes at a time. */
const lockCursor = (client: PoolClient) => client.query("SELECT FROM chain_cursor FOR UPDATE");

const SET_FINAL =
  "UPDATE chain_cursor SET final_number = $1, final_hash = $2, final_parent_hash = $3, final_timestamp = $4";
const finalValues = (final: BlockRef) => [
  final.number.toString(),
  final.hash,
  final.parentHash,
  final.timestamp,
];

/** Blocks and raw logs as followed. Each method is one transaction. */
export class ChainStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The final block last seen, or null in a new database. @throws CharterError `store/other-chain`. */
  cursor(identity: ChainIdentity): Promise<BlockRef | null> {
    return readCursor(this.#pool, identity);
  }

  /** Begins to follow: the block before the first that can hold an event of ours. */
  async begin(identity: ChainIdentity, block: BlockRef): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await client.query(
        `INSERT INTO chain_cursor (chain_id, genesis_hash, app_registry, final_number, final_hash,
                                   final_parent_hash, final_timestamp)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
        [
          identity.chainId,
          identity.genesisHash,
          identity.appRegistry,
          block.number.toString(),
          block.hash,
          block.parentHash,
          block.timestamp,
        ],
      );
      await insertBlocks(client, [block]);
    });
  }

  /**
   * Keeps a followed range: the blocks after `parent` and their logs. Replicas share the database, so what another
   * one has kept already is left as it is.
   * @throws CharterError `store/cursor-moved` when the kept chain does not end in `parent`: read it again.
   */
  async append(parent: BlockRef, blocks: readonly BlockRef[], logs: readonly RawLog[]): Promise<void> {
    const last = blocks.at(-1);
    if (!last) return;
    await inTransaction(this.#pool, async (client) => {
      await lockCursor(client);
      const { rows } = await client.query<{ number: string; hash: string }>(
        "SELECT number, hash FROM blocks WHERE number >= $1 ORDER BY number DESC",
        [parent.number.toString()],
      );
      if (rows.some((row) => row.hash === last.hash)) return;
      if (rows[0]?.hash !== parent.hash) {
        throw new CharterError("store/cursor-moved", "another replica followed the chain meanwhile", {
          expected: parent.hash,
          actual: rows[0]?.hash,
        });
      }
      await insertBlocks(client, blocks);
      for (const log of logs) {
        await client.query(
          `INSERT INTO events (block_number, log_index, transaction_hash, address, topics, data)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [log.blockNumber.toString(), log.logIndex, log.transactionHash, log.address, log.topics, log.data],
        );
      }
    });
  }

  /** A reorg: forgets every block above `ancestor`, with its logs. Finality falls back to it if it stood above. */
  async rollback(ancestor: BlockRef): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await lockCursor(client);
      await client.query("DELETE FROM blocks WHERE number > $1", [ancestor.number.toString()]);
      await client.query(`${SET_FINAL} WHERE final_number > $1`, finalValues(ancestor));
    });
  }

  /** Records the final block, and forgets event-free blocks more than `keepBlocks` below it. */
  async finalize(final: BlockRef, keepBlocks: number): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await client.query(`${SET_FINAL} WHERE final_number < $1`, finalValues(final));
      await client.query(
        `DELETE FROM blocks WHERE number < $1 AND NOT EXISTS (SELECT FROM events WHERE block_number = number)`,
        [(final.number - BigInt(keepBlocks)).toString()],
      );
    });
  }

  /** Newest block kept at or below `number`. */
  async blockAtOrBelow(number: bigint): Promise<BlockRef | null> {
    const { rows } = await this.#pool.query<BlockRow>(
      `SELECT number, hash, parent_hash, timestamp FROM blocks WHERE number <= $1
       ORDER BY number DESC LIMIT 1`,
      [number.toString()],
    );
    return rows[0] ? blockFromRow(rows[0]) : null;
  }

  /** Every log of one contract that is kept, in chain order. */
  logsOf(address: Address): Promise<RawLog[]> {
    return readLogs(this.#pool, address);
  }

  /** Everything kept, as of one moment: what a restart replays. */
  async read(identity: ChainIdentity): Promise<{ final: BlockRef; blocks: BlockRef[]; logs: RawLog[] }> {
    return inTransaction(this.#pool, async (client) => {
      await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      const final = await readCursor(client, identity);
      if (!final) throw new CharterError("store/empty", "this database has followed nothing yet");
      const blocks = await client.query<BlockRow>(
        "SELECT number, hash, parent_hash, timestamp FROM blocks ORDER BY number",
      );
      return { final, blocks: blocks.rows.map(blockFromRow), logs: await readLogs(client) };
    });
  }
}

interface LogRow {
  number: string;
  hash: Bytes32;
  timestamp: string;
  log_index: number;
  transaction_hash: Hex;
  address: Address;
  topics: Hex[];
  data: Hex;
}

async function readLogs(client: Pool | PoolClient, address: Address | null = null): Promise<RawLog[]> {
  const { rows } = await client.query<LogRow>(
    `SELECT number, hash, timestamp, log_index, transaction_hash, address, topics, data
     FROM events JOIN blocks ON number = block_number WHERE $1::text IS NULL OR address = $1
     ORDER BY block_number, log_index`,
    [address],
  );
  return rows.map((row) => ({
    address: row.address,
    topics: row.topics,
    data: row.data,
    blockNumber: BigInt(row.number),
    blockHash: row.hash,
    blockTimestamp: Number(row.timestamp),
    transactionHash: row.transaction_hash,
    logIndex: row.log_index,
  }));
}

async function readCursor(client: Pool | PoolClient, identity: ChainIdentity): Promise<BlockRef | null> {
  const { rows } = await client.query<
    { chain_id: string; genesis_hash: string; app_registry: string } & BlockRow
  >(
    `SELECT chain_id, genesis_hash, app_registry, final_number AS number, final_hash AS hash,
            final_parent_hash AS parent_hash, final_timestamp AS timestamp FROM chain_cursor`,
  );
  const row = rows[0];
  if (!row) return null;
  const actual = {
    chainId: Number(row.chain_id),
    genesisHash: row.genesis_hash,
    appRegistry: row.app_registry,
  };
  if (
    actual.chainId !== identity.chainId ||
    actual.genesisHash !== identity.genesisHash ||
    actual.appRegistry !== identity.appRegistry
  ) {
    throw new CharterError("store/other-chain", "this database followed another chain or deployment", {
      expected: identity,
      actual,
    });
  }
  return blockFromRow(row);
}
