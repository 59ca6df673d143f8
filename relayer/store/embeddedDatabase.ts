import type { Closers } from "../program.ts";
import { startEmbeddedPostgres } from "./embedded.ts";

/** URL of the database of a Postgres that lives as long as this program. */
export async function embeddedDatabase(dir: string, closers: Closers): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dir });
  closers.add("embedded Postgres", () => postgres.stop());
  return postgres.createDatabase("charter");
}
