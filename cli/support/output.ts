/** Writes results to stdout: `--json` as JSON on one line per result, else as text for people. */
export interface Output {
  readonly json: boolean;
  readonly result: (value: Record<string, unknown>, text: string) => void;
  /** What a person should see before something happens; stderr, and nothing with `--json`. */
  readonly note: (text: string) => void;
}

export function output(json: boolean): Output {
  return {
    json,
    result: (value, text) => process.stdout.write(`${json ? toJson(value) : printable(text)}\n`),
    note: (text) => {
      if (!json) process.stderr.write(`${printable(text)}\n`);
    },
  };
}

/**
 * Text without control characters other than line ends: names and messages come from others, and an escape sequence
 * in one could rewrite what the terminal shows.
 */
export const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- these are the characters to replace
  text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));

/** Rows as an aligned table; no rows say so. */
export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "(none)";
  const widths = headers.map((header, i) =>
    Math.max(header.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(headers), ...rows.map(line)].join("\n");
}

/** Unix seconds as ISO time; "never" for uint40 max. */
export const timeText = (seconds: number): string =>
  seconds >= 2 ** 40 - 1 ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
