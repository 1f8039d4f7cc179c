/** CSV that spreadsheets read as data, never as formulas (web 6). No DOM, no Deno. */

export type Cell = string | number | undefined;

/** A row with its line end. */
export function csvRow(cells: readonly Cell[]): string {
  return cells.map(csvCell).join(",") + "\r\n";
}

/** Numbers in full precision; texts that a spreadsheet would run get a quote before. */
export function csvCell(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") {
    return Number.isFinite(cell) ? String(cell) : "";
  }
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** ASCII of letters, digits and `._-`, for the name of a file. */
export function fileName(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._]+/, "");
  return safe.slice(0, 100) || "data";
}
