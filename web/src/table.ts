/** A cell: text, and how it reads. Everything is set as text; nothing that a chain says becomes markup. */
export interface Cell {
  readonly text: string;
  readonly tone?: "good" | "wait" | "over";
  readonly mono?: boolean;
}

/** Replaces what `host` shows by a table, or by a sentence when there are no rows or none could be read. */
export function showTable(
  host: HTMLElement,
  headers: readonly string[],
  rows: readonly (readonly Cell[])[] | null | undefined,
): void {
  if (!rows) return host.replaceChildren("Not available now: the index does not answer.");
  if (rows.length === 0) return host.replaceChildren("None yet.");
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const text of headers) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const { text, tone, mono } of row) {
      const cell = line.insertCell();
      cell.textContent = text;
      cell.title = text;
      if (tone) cell.classList.add(tone);
      if (mono) cell.classList.add("mono");
    }
  }
  host.replaceChildren(table);
}
