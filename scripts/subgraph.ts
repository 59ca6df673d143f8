/**
 * `node scripts/subgraph.ts build|test`: the subgraph's ABIs from the compiled contracts, graph-cli's codegen and build,
 * and `gnd test`. The devnet builds its own copy with its addresses (scripts/devnet/subgraphBuild.ts).
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startEmbeddedPostgres } from "../relayer/store/embedded.ts";
import { buildSubgraph, SUBGRAPH_DIR } from "./devnet/subgraphBuild.ts";

const [command] = process.argv.slice(2);
switch (command) {
  case "build":
    buildSubgraph(SUBGRAPH_DIR);
    break;
  case "test":
    await test();
    break;
  default:
    console.error("expected build or test");
    process.exit(64);
}

/** `gnd test` runs the JSON tests on graph-node's own store and runtime; on a Postgres of ours. */
async function test(): Promise<void> {
  let passed = 0;
  const gnd = fileURLToPath(new URL("../node_modules/@graphprotocol/gnd-linux-x64/bin/gnd", import.meta.url));
  if (!existsSync(gnd)) {
    console.log("skipped: gnd test: graph-node's binary exists for Linux x64 only");
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), "charter-gnd-test-"));
  // Postgres runs under another account where this one is root.
  chmodSync(dir, 0o755);
  const postgres = await startEmbeddedPostgres({ dir: join(dir, "postgres") });
  try {
    for (const file of readdirSync(join(SUBGRAPH_DIR, "tests")).sort()) {
      // A database per file: each test starts from an empty chain.
      const url = await postgres.createDatabase(`gnd_${file.replace(/\W/g, "_")}`);
      const args = ["test", "--skip-build", "--postgres-url", url, join("tests", file)];
      const run = spawnSync(gnd, args, { cwd: SUBGRAPH_DIR, encoding: "utf8" });
      if (run.status !== 0) {
        console.log(`${run.stdout}\n${run.stderr}\n  1 failing`);
        process.exitCode = 1;
        return;
      }
      console.log(`  ✔ ${file}`);
      passed++;
    }
    console.log(`\n  ${passed} passing`);
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
