/**
 * `node scripts/graphqlSchema.ts --write|--check`: the schema that `/graphql` serves with a subgraph
 * (relayer/api/schema.graphql), live state and subgraph stitched. What readers may rely on changes in sight.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { lexicographicSortSchema, printSchema } from "graphql";

import { Changes } from "../relayer/api/graphql/changes.ts";
import { liveSchema } from "../relayer/api/graphql/liveSchema.ts";
import { stitchedSchema } from "../relayer/api/graphql/stitchedSchema.ts";
import { subgraphSubschema } from "../relayer/api/graphql/subgraphSchema.ts";

const FILE = new URL("../relayer/api/schema.graphql", import.meta.url);
const unread = (): never => {
  throw new Error("printing a schema reads nothing");
};
const live = liveSchema({
  projection: unread,
  leases: unread,
  placements: unread,
  health: unread,
  logsOf: unread,
  reports: unread,
  changes: new Changes({ onUpdate: unread }),
});
const sdl = readFileSync(new URL("../relayer/api/subgraph.graphql", import.meta.url), "utf8");
const schema = stitchedSchema(live, subgraphSubschema({ sdl, url: "http://localhost" }));
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (process.argv.includes("--write")) writeFileSync(FILE, printed);
else if (readFileSync(FILE, "utf8") !== printed) {
  console.error("relayer/api/schema.graphql is out of date: run `node scripts/graphqlSchema.ts --write`");
  process.exitCode = 1;
}
