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

/** A final block that a reorg took back. */
export interface TakenBack {
  readonly number: bigint;
  readonly hash: Bytes32;
}

/** What an operator says about a final block that was taken back. */
export interface Settlement {
  readonly how: "acknowledge" | "rebuild";
  /** Hash of that block: what is said about one does not settle another. */
  readonly hash: Bytes32;
}

/** How far a replica had followed. */
export interface FollowedHeights {
  readonly newest: BlockRef;
  readonly final: BlockRef;
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

  /**
   * A reorg: forgets every block above `ancestor`, with its logs, unless another replica has done so already. Where a
   * final block went with them, that is kept until it is settled. False when the kept chain is not the contradicted one.
   */
  async rollback(
    ancestor: BlockRef,
    contradicted: Pick<FollowedHeights, "newest" | "final">,
  ): Promise<boolean> {
    return inTransaction(this.#pool, async (client) => {
      await lockCursor(client);
      const tookBackFinal =
        ancestor.number < contradicted.final.number
          ? [contradicted.final.number.toString(), contradicted.final.hash]
          : [null, null];
      const known = await client.query("SELECT FROM blocks WHERE hash = $1", [contradicted.newest.hash]);
      await client.query(
        `UPDATE chain_cursor SET
           taken_back_number = CASE WHEN $1::bigint IS NOT NULL THEN $1 ELSE final_number END,
           taken_back_hash = CASE WHEN $1::bigint IS NOT NULL THEN $2 ELSE final_hash END
         WHERE taken_back_number IS NULL AND ($1::bigint IS NOT NULL OR ($3 AND final_number > $4))`,
        [...tookBackFinal, known.rowCount === 1, ancestor.number.toString()],
      );
      if (known.rowCount !== 1) return false;
      await client.query("DELETE FROM blocks WHERE number > $1", [ancestor.number.toString()]);
      await client.query(`${SET_FINAL} WHERE final_number > $1`, finalValues(ancestor));
      return true;
    });
  }

  /**
   * Records the final block, and forgets event-free blocks more than `keepBlocks` below it.
   * @throws CharterError `store/cursor-moved` when another block of its number is kept: read it again.
   */
  async finalize(final: BlockRef, keepBlocks: number): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await lockCursor(client);
      // Kept too: else a later reorg above it would seem to reach below it, where the next kept block stands.
      await insertBlocks(client, [final]);
      const { rows } = await client.query<{ hash: string }>("SELECT hash FROM blocks WHERE number = $1", [
        final.number.toString(),
      ]);
      if (rows[0]?.hash !== final.hash) {
        throw new CharterError("store/cursor-moved", "another replica followed the chain meanwhile", {
          expected: final.hash,
          actual: rows[0]?.hash,
        });
      }
      await client.query(`${SET_FINAL} WHERE final_number < $1`, finalValues(final));
      await client.query(
        `DELETE FROM blocks WHERE number < $1 AND NOT EXISTS (SELECT FROM events WHERE block_number = number)`,
        [(final.number - BigInt(keepBlocks)).toString()],
      );
    });
  }

  /** The final block that a reorg took back, until it is settled; null when there is none. */
  async takenBack(): Promise<TakenBack | null> {
    const { rows } = await this.#pool.query<{ number: string | null; hash: Bytes32 | null }>(
      "SELECT taken_back_number AS number, taken_back_hash AS hash FROM chain_cursor",
    );
    const row = rows[0];
    return row?.number && row.hash ? { number: BigInt(row.number), hash: row.hash } : null;
  }

  /**
   * An operator has seen that the final block `hash` was taken back: what was followed since stands (`acknowledge`), or
   * all of it is forgotten and will be read again (`rebuild`). Nothing happens when that is not what is pending.
   */
  async settle({ how, hash }: Settlement): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        `UPDATE chain_cursor SET taken_back_number = NULL, taken_back_hash = NULL WHERE taken_back_hash = $1`,
        [hash],
      );
      if (rowCount !== 1 || how === "acknowledge") return;
      await client.query("DELETE FROM blocks");
      await client.query("DELETE FROM chain_cursor");
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
