import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startEmbeddedPostgres } from "../../relayer/store/embedded.ts";
import type { EmbeddedPostgres } from "../../relayer/store/embedded.ts";

let shared: Promise<{ server: EmbeddedPostgres; dir: string }> | undefined;
let databases = 0;

async function start() {
  const dir = await mkdtemp(join(tmpdir(), "charter-postgres-"));
  // mkdtemp closes it to others, and Postgres runs as another account when we are root.
  await chmod(dir, 0o755);
  return { server: await startEmbeddedPostgres({ dir }), dir };
}

/** URL of an empty database on a real Postgres, one server per test process. Close every pool before the run ends. */
export async function freshDatabase(): Promise<string> {
  shared ??= start();
  const { server } = await shared;
  return server.createDatabase(`test_${++databases}`);
}

/** Ends the server, if there is one. */
export async function stopDatabases(): Promise<void> {
  if (!shared) return;
  const { server, dir } = await shared;
  shared = undefined;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}

// Importing this file while suites load makes this a hook of the whole run; benchmarks, which have no hooks, end it.
if (typeof after === "function") {
  after(async function () {
    this.timeout(30_000);
    await stopDatabases();
  });
}
