import type { Pool, PoolClient } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { inTransaction } from "./transaction.ts";

/** Rows that are read, and written, at once. */
const BATCH = 500;
const MIGRATIONS = "migrations";

interface Header {
  readonly charterBackup: 1;
  /** Names of the migrations that made its tables. */
  readonly schema: readonly string[];
}

/** Every table of ours, those that others refer to first. */
async function tablesOf(client: PoolClient): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1 ORDER BY 1",
    [MIGRATIONS],
  );
  const { rows: references } = await client.query<{ from: string; to: string }>(
    `SELECT f.relname AS from, t.relname AS to FROM pg_constraint c
     JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid WHERE c.contype = 'f'`,
  );
  const ordered: string[] = [];
  const visit = (name: string): void => {
    if (ordered.includes(name)) return;
    for (const { from, to } of references) if (from === name && to !== name) visit(to);
    ordered.push(name);
  };
  for (const { name } of tables) visit(name);
  return ordered;
}

async function schemaOf(client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS} ORDER BY name`);
  return rows.map(({ name }) => name);
}

/**
 * Everything that the database holds, as of one moment, in lines of JSON: a header, then `[table, row]`. The relayer goes on
 * meanwhile. It needs no client of the server's version, and goes into any other Postgres.
 */
export async function* saveBackup(pool: Pool): AsyncGenerator<string> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const header: Header = { charterBackup: 1, schema: await schemaOf(client) };
    yield JSON.stringify(header);
    for (const table of await tablesOf(client)) {
      await client.query(
        `DECLARE saved NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM "${table}" t`,
      );
      for (;;) {
        const { rows } = await client.query<{ row: string }>(`FETCH ${BATCH} FROM saved`);
        // Text, not values: numbers beyond 2^53 stay as they are.
        for (const { row } of rows) yield `[${JSON.stringify(table)},${row}]`;
        if (rows.length < BATCH) break;
      }
      await client.query("CLOSE saved");
    }
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
    client.release();
  }
}

const refused = (code: string, message: string, details: Record<string, unknown> = {}): CharterError =>
  new CharterError(code, message, details);

/** The table of a line, and its row as text. */
function partsOf(line: string, tables: readonly string[]): readonly [string, string] {
  const parts = /^\["([a-z_]+)",(\{.*\})\]$/s.exec(line);
  const [, table, row] = parts ?? [];
  if (table === undefined || row === undefined || !tables.includes(table)) {
    throw refused("backup/malformed", "expected a line that a backup wrote", { line: line.slice(0, 80) });
  }
  return [table, row];
}

/**
 * Puts a backup into an empty database of the same schema: all of it, or nothing.
 * @returns how many rows it has.
 * @throws CharterError `backup/malformed`, `backup/other-schema`, `backup/not-empty`.
 */
export async function restoreBackup(pool: Pool, lines: AsyncIterable<string>): Promise<number> {
  return inTransaction(pool, async (client) => {
    const tables = await tablesOf(client);
    for (const table of tables) {
      const { rows } = await client.query(`SELECT 1 FROM "${table}" LIMIT 1`);
      if (rows.length > 0) {
        throw refused("backup/not-empty", "a backup goes into an empty database only", { table });
      }
    }
    let count = 0;
    let isHeaded = false;
    let gathered: { table: string; rows: string[] } = { table: "", rows: [] };
    const flush = async (): Promise<void> => {
      const { table, rows } = gathered;
      if (rows.length === 0) return;
      const values = `[${rows.join(",")}]`;
      await client.query(
        `INSERT INTO "${table}" SELECT * FROM json_populate_recordset(NULL::"${table}", $1)`,
        [values],
      );
      count += rows.length;
      gathered = { table: "", rows: [] };
    };
    for await (const line of lines) {
      if (!isHeaded) {
        requireSchema(line, await schemaOf(client));
        isHeaded = true;
        continue;
      }
      const [table, row] = partsOf(line, tables);
      if (gathered.table !== table || gathered.rows.length >= BATCH) await flush();
      gathered.table = table;
      gathered.rows.push(row);
    }
    if (!isHeaded) throw refused("backup/malformed", "the backup is empty");
    await flush();
    // Who held the right to write held it in the database that is gone. The fence goes on counting.
    await client.query("UPDATE signer_lease SET expires_at = now()");
    return count;
  });
}

function requireSchema(line: string, expected: readonly string[]): void {
  let header: Partial<Header>;
  try {
    header = JSON.parse(line) as Partial<Header>;
  } catch {
    header = {};
  }
  if (header.charterBackup !== 1) throw refused("backup/malformed", "the first line is no backup's header");
  if (JSON.stringify(header.schema) === JSON.stringify(expected)) return;
  throw refused("backup/other-schema", "restore it with the version that saved it, then upgrade", {
    expected,
    actual: header.schema,
  });
}
