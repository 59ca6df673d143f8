/** One command of a page, as a shell takes it, and what the page's reader would call the place. */
export interface PageCommand {
  readonly section: string;
  readonly text: string;
}

/**
 * Commands of these sections in the order in which a reader meets them: those of code blocks without a language, and those
 * in backticks that begin with `npx charter`. @throws Error where the page has no such section.
 */
export function pageCommands(page: string, sections: readonly string[]): PageCommand[] {
  return sections.flatMap((section) => {
    const heading = `\n## ${section}\n`;
    const start = page.indexOf(heading);
    if (start < 0) throw new Error(`the page has no section "${section}"`);
    const end = page.indexOf("\n## ", start + heading.length);
    const text = page.slice(start + heading.length, end < 0 ? undefined : end);
    return [...text.matchAll(/^ *```\n([\s\S]*?)^ *```$|`(npx charter[^`]*)`/gm)].flatMap(
      ([, block, inline]) =>
        (block === undefined ? [(inline ?? "").replace(/\s+/g, " ")] : linesOf(block)).map((line) => ({
          section,
          text: line,
        })),
    );
  });
}

/** Lines that go on after a backslash, or in quotes that are still open, are one command. */
function linesOf(block: string): string[] {
  const commands: string[] = [];
  let open = "";
  for (const line of block.split("\n")) {
    open += `${line}\n`;
    const isOpen = line.endsWith("\\") || (open.match(/(?<!\\)"/g) ?? []).length % 2 === 1;
    if (isOpen) continue;
    if (open.trim() !== "") commands.push(open.trim());
    open = "";
  }
  if (open.trim() !== "") throw new Error(`a command of the page has no end: ${open}`);
  return commands;
}
