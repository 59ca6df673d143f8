/**
 * `node scripts/nodeSchema.ts --write|--check`: docs/node.schema.json, the JSON schema (2020-12) of the node agent's
 * configuration file, from the schema that the agent parses it with.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { format, resolveConfig } from "prettier";
import { z } from "zod";

import { nodeFileSchema } from "../worker/node/nodeFile.ts";

const FILE = fileURLToPath(new URL("../docs/node.schema.json", import.meta.url));

const { $schema, ...rest } = z.toJSONSchema(nodeFileSchema, { io: "input" });
const schema = {
  $schema,
  title: "Configuration of charter-node",
  description:
    "JSON, named by --config. The environment goes over it (docs/running.md), and keys stand in the environment only.",
  ...rest,
};
const text = await format(JSON.stringify(schema), { ...(await resolveConfig(FILE)), filepath: FILE });

if (process.argv.includes("--write")) writeFileSync(FILE, text);
else if (readFileSync(FILE, "utf8") !== text) {
  console.error("docs/node.schema.json is out of date: run `node scripts/nodeSchema.ts --write`");
  process.exit(1);
} else console.log("the schema of node.json is the one that it is parsed with");
