/**
 * `node scripts/evidencePage.ts --write|--check`: the tables of checks in docs/evidence.md, from the explanations that
 * the command line prints. Every check that the verifier can raise must be explained, and no other.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { format, resolveConfig } from "prettier";

import { EXPLANATION_GROUPS } from "../protocol/evidence/verdict/explanations.ts";

const PAGE = fileURLToPath(new URL("../docs/evidence.md", import.meta.url));
const [BEGIN, END] = ["<!-- checks -->", "<!-- /checks -->"];

const cell = (text: string): string => text.replaceAll("|", "\\|");
const tables = Object.entries(EXPLANATION_GROUPS).map(([group, checks]) =>
  [
    `### ${group}`,
    "",
    "| check | it means | rule |",
    "| --- | --- | --- |",
    ...Object.entries(checks).map(
      ([name, { says, source }]) => `| \`${name}\` | ${cell(says)} | ${cell(source)} |`,
    ),
  ].join("\n"),
);

const page = readFileSync(PAGE, "utf8");
const [head = "", rest = ""] = page.split(BEGIN);
const tail = rest.split(END)[1];
if (tail === undefined) throw new Error(`docs/evidence.md must have ${BEGIN} and ${END}`);
const written = await format([head, BEGIN, "\n\n", tables.join("\n\n"), "\n\n", END, tail].join(""), {
  ...(await resolveConfig(PAGE)),
  filepath: PAGE,
});

if (process.argv.includes("--write")) writeFileSync(PAGE, written);
else if (written !== page) {
  console.error("docs/evidence.md is out of date: run `node scripts/evidencePage.ts --write`");
  process.exit(1);
}
