/** Writes one result: `--json` as JSON on one line per result, else as text for people. */
export interface Output {
  readonly json: boolean;
  readonly result: (value: Record<string, unknown>, text: string) => void;
}

export function output(json: boolean): Output {
  return {
    json,
    result: (value, text) => process.stdout.write(`${json ? toJson(value) : text}\n`),
  };
}

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
