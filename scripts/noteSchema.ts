/**
 * `node scripts/noteSchema.ts --write|--check`: docs/note.schema.json, the JSON schema (2020-12) of release notes, from the
 * schema that every reader of a note parses with.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { format, resolveConfig } from "prettier";
import { z } from "zod";

import { noteSchema } from "../protocol/note/note.ts";

const FILE = fileURLToPath(new URL("../docs/note.schema.json", import.meta.url));

// As it is written, before readers bring it to one form.
const { $schema, ...rest } = z.toJSONSchema(noteSchema, { io: "input" });
const schema = {
  $schema,
  title: "Charter release note",
  description:
    "JSON in UTF-8, at most 65,536 bytes, whose SHA-256 is the note digest on chain. Repository paths have no part `..`.",
  ...rest,
};
const text = await format(JSON.stringify(schema), { ...(await resolveConfig(FILE)), filepath: FILE });

if (process.argv.includes("--write")) writeFileSync(FILE, text);
else if (readFileSync(FILE, "utf8") !== text) {
  console.error("docs/note.schema.json is out of date: run `node scripts/noteSchema.ts --write`");
  process.exit(1);
} else console.log("the schema of notes is the one that they are parsed with");
