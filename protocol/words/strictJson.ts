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

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Walks valid JSON text once and keeps the keys of each open object. */
function refuseDuplicates(text: string, what: string): void {
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
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
    } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      open.push(character === OPEN_OBJECT ? new Set() : null);
      expectsKey = character === OPEN_OBJECT;
      if (open.length > 32)
        throw new CharterError("json/malformed", `${what}: expected at most 32 levels`, { what });
    } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
      open.pop();
      expectsKey = false;
    } else if (character === COMMA) {
      expectsKey = open.at(-1) !== null;
    }
  }
}

/** A quote that an odd number of backslashes stands before is a character of the string. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
}
