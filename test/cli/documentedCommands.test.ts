import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import type { Described } from "./support/dumpCommands.ts";

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const PAGES = [
  "docs/operators.md",
  "docs/developers.md",
  "docs/operations.md",
  "README.md",
  "examples/llm-gateway/README.md",
];
const PROGRAMS: Readonly<Record<string, string>> = {
  charter: "cli/main.ts",
  "charter-node": "worker/node/main.ts",
};

/** Command lines of a page: those in its code blocks that npx runs, and those in backticks that begin with a program. */
export function commandLines(page: string): string[] {
  const lines: string[] = [];
  for (const [, block = ""] of page.matchAll(/^ *```\w*\n([\s\S]*?)^ *```/gm)) {
    for (const line of block.replace(/\\\n\s*/g, " ").split("\n")) {
      const found = /(?:^|\$\()\s*npx (charter(?:-node)? .*)$/.exec(line.trim())?.[1];
      if (found !== undefined) lines.push(found.replace(/\s+#.*$/, ""));
    }
  }
  const prose = page.replace(/^ *```[\s\S]*?^ *```/gm, "");
  for (const [, found = ""] of prose.matchAll(/`(?:npx )?(charter(?:-node)? [a-z][^`]*)`/g))
    lines.push(found);
  return lines;
}

/** What is wrong with a line, by the program's own commands; null where it fits. */
export function problemOf(line: string, programs: ReadonlyMap<string, Described>): string | null {
  const [program = "", ...words] = line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  let command = programs.get(program);
  if (command === undefined) return `no program ${program}`;
  const known = [...command.options];
  let positional = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "…" || word === "...") return null; // And more of the kind.
    if (word.startsWith("-")) {
      const [flag] = word.split("=");
      const option = known.find(({ flags }) => flags.includes(flag as string));
      if (option === undefined) return `${command.name} has no option ${word}`;
      if (option.takesValue && !word.includes("=")) i++;
      continue;
    }
    const next: Described | undefined = command.commands.find(({ name }) => name === word);
    if (next !== undefined) {
      command = next;
      known.push(...command.options);
    } else if (command.commands.length > 0) return `${command.name} has no command ${word}`;
    else positional++;
  }
  const { arguments: expected, name } = command;
  if (positional > expected.length && !expected.some(({ variadic }) => variadic))
    return `${name} takes ${expected.length} arguments, not ${positional}`;
  return null;
}

describe("commands that the pages tell readers to run", () => {
  const programs = new Map<string, Described>();
  before(function () {
    this.timeout(60_000);
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const dump = path("test/cli/support/dumpCommands.ts");
      const { stdout, stderr } = spawnSync(process.execPath, ["--import", dump, path(program)], {
        encoding: "utf8",
      });
      expect(stdout, stderr).not.to.equal("");
      programs.set(name, JSON.parse(stdout) as Described);
    }
  });

  for (const page of PAGES) {
    it(`${page}: each command and option is there`, () => {
      const lines = commandLines(readFileSync(path(page), "utf8"));
      expect(lines, "the page names commands").not.to.deep.equal([]);
      const wrong = lines.flatMap((line) => {
        const problem = problemOf(line, programs);
        return problem === null ? [] : [`${line}: ${problem}`];
      });
      expect(wrong).to.deep.equal([]);
    });
  }

  it("are found to be wrong where they are", () => {
    const page =
      "```\nnpx charter node liste\nnpx charter-node run \\\n  --konfig f\n```\nand `charter node show 3 4`";
    expect(commandLines(page).map((line) => problemOf(line, programs))).to.deep.equal([
      "node has no command liste",
      "run has no option --konfig",
      "show takes 1 arguments, not 2",
    ]);
  });
});
