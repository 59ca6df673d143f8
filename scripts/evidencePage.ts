/**
 * `node scripts/evidencePage.ts --write|--check`: the tables of checks in docs/evidence.md, from the explanations that
 * the command line prints. Every check that the verifier can raise must be explained, and no other.
 */
import { EXPLANATION_GROUPS } from "../protocol/evidence/verdict/explanations.ts";
import { fillSlot } from "./pageSlot.ts";

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

await fillSlot({
  page: "docs/evidence.md",
  name: "checks",
  content: tables.join("\n\n"),
  command: "node scripts/evidencePage.ts",
});
