import { readBytes } from "./context.ts";

/** A release note's raw bytes: the given file, or one that holds a title. */
export function noteBytes(options: { note?: string; title?: string }, fallbackTitle: string): Uint8Array {
  if (options.note) return readBytes(options.note);
  return new TextEncoder().encode(`${JSON.stringify({ title: options.title ?? fallbackTitle }, null, 2)}\n`);
}
