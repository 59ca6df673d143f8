/** One command of a page, as a shell takes it, and what the page's reader would call the place. */
export interface PageCommand {
  readonly section: string;
  readonly text: string;
  /** It stands in a sentence or a table, and not by itself. */
  readonly isMention: boolean;
}

/** What a reader would type, and not call a thing by. */
const PROGRAMS =
  /^(?:npx|npm|charter(?:-node|-gateway|-bootauth)?|docker(?:-compose)?|apt-get|usermod|curl|printf|node_modules\/\.bin\/node) /;

/**
 * Commands of a page in the order in which a reader meets them: those of code blocks without a language, and those in
 * backticks that begin with a program's name. Blocks with a language show something else.
 * @param sections whose they are; all of them where none is named. @throws Error where the page has no such section.
 */
export function pageCommands(page: string, sections?: readonly string[]): PageCommand[] {
  const parts = page.split(/^## /m).map((text, i) => {
    const end = i === 0 ? 0 : text.indexOf("\n");
    return { name: i === 0 ? "" : text.slice(0, end), text: text.slice(end) };
  });
  const wanted = sections?.map((name) => {
    const part = parts.find((one) => one.name === name);
    if (!part) throw new Error(`the page has no section "${name}"`);
    return part;
  });
  return (wanted ?? parts).flatMap(({ name: section, text }) =>
    [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$|`([^`\n]+(?:\n[^`\n]+)?)`/gm)].flatMap(
      ([, language, block, inline]): PageCommand[] => {
        if (block !== undefined)
          return language === ""
            ? linesOf(block).map((line) => ({ section, text: line, isMention: false }))
            : [];
        const mention = (inline ?? "").replace(/\s+/g, " ");
        return PROGRAMS.test(mention) ? [{ section, text: mention, isMention: true }] : [];
      },
    ),
  );
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
