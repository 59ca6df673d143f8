import type { Pool } from "pg";

/** Consecutive pages of a table, as bounds of `ctid`. */
export interface HeapWindow {
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
}

/** 256 KiB: some hundred rows. */
const PAGES = 32;

/**
 * A table's pages in windows, one after the other, as it is when it is asked. Whoever looks for old rows window by window
 * reads the table once, in the order in which it lies on the disk, without an index that every new row would pay for.
 */
export async function heapWindows(pool: Pool, table: string, pages = PAGES): Promise<HeapWindow[]> {
  const { rows } = await pool.query<{ pages: string }>(
    "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint AS pages",
    [table],
  );
  const count = Math.ceil(Number(rows[0]?.pages ?? 0) / pages);
  return Array.from({ length: count }, (_, index) => ({
    from: `(${index * pages},0)`,
    to: `(${(index + 1) * pages},0)`,
  }));
}
