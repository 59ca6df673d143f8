import type { ManifestChange } from "./diff.ts";

/** A diff in words, one line each; the same changes give the same text everywhere. */
export function changesText(changes: readonly ManifestChange[]): string {
  if (changes.length === 0) return "nothing";
  return changes.map(lineOf).join("\n");
}

function lineOf({ subject, kind, before, after }: ManifestChange): string {
  if (before !== null && after !== null) return `${kind} ${subject}: ${before} -> ${after}`;
  const value = before ?? after;
  return value === null ? `${kind} ${subject}` : `${kind} ${subject}: ${value}`;
}
