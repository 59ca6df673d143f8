import type { Pool, PoolClient } from "pg";

import { asStoreError } from "./asStoreError.ts";

/** Runs `work` in one transaction: all of it is kept, or none. @throws CharterError `store/unreachable`. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw asStoreError(cause);
  });
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: unknown) => {
      broken = failure instanceof Error ? failure : new Error("rollback failed");
    });
    throw asStoreError(error);
  } finally {
    // A connection that could not roll back is thrown away, not reused.
    client.release(broken);
  }
}
