import { readBytes } from "./context.ts";

/** A release note's raw bytes: the given file, or one that holds a title. */
export function noteBytes(options: { note?: string; title?: string }, fallbackTitle: string): Uint8Array {
  if (options.note) return readBytes(options.note);
  return new TextEncoder().encode(`${JSON.stringify({ title: options.title ?? fallbackTitle }, null, 2)}\n`);
}

/** The title that a note gives itself, or null: a note may be any JSON until its schema is checked. */
export function noteTitle(note: Uint8Array): string | null {
  try {
    const { title } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(note)) as {
      title?: unknown;
    };
    return typeof title === "string" && title.trim() !== "" ? title : null;
  } catch {
    return null;
  }
}
