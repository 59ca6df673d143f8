/**
 * `node scripts/subgraphSdl.ts --write|--check`: the schema that graph-node serves for our subgraph, as the relayer
 * stitches it (relayer/api/subgraph.graphql). Starts chain, contracts and graph-node for it.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { servedSdl, SDL_FILE } from "./devnet/servedSdl.ts";
import { startIndexStack } from "./devnet/indexStack.ts";

const stack = await startIndexStack();
try {
  const sdl = await servedSdl(stack.graphqlUrl);
  if (process.argv.includes("--write")) writeFileSync(SDL_FILE, sdl);
  else if (readFileSync(SDL_FILE, "utf8") !== sdl) {
    console.error("relayer/api/subgraph.graphql is not what graph-node serves: run with --write");
    process.exitCode = 1;
  }
} finally {
  await stack.stop();
}
