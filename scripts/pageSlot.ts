import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { format, resolveConfig } from "prettier";

/** A part of a page that a program writes, between `<!-- name -->` and `<!-- /name -->`. */
export interface Slot {
  /** The page, from the repository's root: "docs/evidence.md". */
  readonly page: string;
  readonly name: string;
  /** Markdown. */
  readonly content: string;
  /** What writes it, for whoever finds it out of date. */
  readonly command: string;
}

/** Writes the slot when the program was called with `--write`; else exits with 1 when the page holds anything else. */
export async function fillSlot({ page, name, content, command }: Slot): Promise<void> {
  const path = fileURLToPath(new URL(`../${page}`, import.meta.url));
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const text = readFileSync(path, "utf8");
  const [head = "", rest = ""] = text.split(begin);
  const tail = rest.split(end)[1];
  if (tail === undefined) throw new Error(`${page} must have ${begin} and ${end}`);
  const written = await format([head, begin, "\n\n", content, "\n\n", end, tail].join(""), {
    ...(await resolveConfig(path)),
    filepath: path,
  });
  if (process.argv.includes("--write")) writeFileSync(path, written);
  else if (written !== text) {
    console.error(`${page} is out of date: run \`${command} --write\``);
    process.exit(1);
  }
}
