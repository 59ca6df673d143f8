import { CharterError } from "../errors/CharterError.ts";

/**
 * JSON.parse with duplicate keys refused: two readers of one signed text must not see two contents. Also refuses
 * nesting beyond 32. @throws CharterError `json/malformed`.
 */
export function parseStrictJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CharterError("json/malformed", `${what}: expected JSON`, { what }, { cause });
  }
  refuseDuplicates(text, what);
  return value;
}

/** Walks valid JSON text once and keeps the keys of each open object. */
function refuseDuplicates(text: string, what: string): void {
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keys && expectsKey) {
        const written = text.slice(i + 1, end);
        const key = written.includes("\\") ? (JSON.parse(`"${written}"`) as string) : written;
        if (keys.has(key))
          throw new CharterError("json/malformed", `${what}: expected each key once`, { what, key });
        keys.add(key);
        expectsKey = false;
      }
      i = end;
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : null);
      expectsKey = character === "{";
      if (open.length > 32)
        throw new CharterError("json/malformed", `${what}: expected at most 32 levels`, { what });
    } else if (character === "}" || character === "]") {
      open.pop();
      expectsKey = false;
    } else if (character === ",") {
      expectsKey = open.at(-1) !== null;
    }
  }
}

/** A quote that an odd number of backslashes stands before is a character of the string. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === "\\") before--;
    if ((end - before) % 2 === 0) return end;
  }
}
