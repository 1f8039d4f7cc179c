/** The formats of an export. Each writer takes one host after the other. Pure. */
import type { ExportedHost, ExportedSeries } from "./export_samples.ts";
import { LEVEL_TYPES, type LevelName, splitLevelName } from "./level_names.ts";
import { formatLine, lineKey } from "./line_format.ts";
import { ParquetRows, type SeriesRows } from "./parquet_rows.ts";

export const EXPORT_FORMATS = ["line", "parquet"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

export interface ExportWriter {
  /** Hosts come sorted. Returns how many samples the format could not hold. */
  add(host: ExportedHost): number;
  finish(): void;
}

/** Lines are handed over in pieces of about this size. */
const PIECE_CHARS = 1 << 20;

export function createWriter(
  format: ExportFormat,
  cluster: string,
  sink: (bytes: Uint8Array) => void,
): ExportWriter {
  return format === "line"
    ? new LineWriter(cluster, sink)
    : new ParquetWriter(cluster, sink);
}

class LineWriter implements ExportWriter {
  readonly #cluster: string;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #encoder = new TextEncoder();
  #text = "";

  constructor(cluster: string, sink: (bytes: Uint8Array) => void) {
    this.#cluster = cluster;
    this.#sink = sink;
  }

  add({ host, series }: ExportedHost): number {
    let unwritable = 0;
    for (const { metric, levels, timesSec, values } of series) {
      const name = { cluster: this.#cluster, host, levels, metric };
      const key = lineKey(name, LEVEL_TYPES);
      if (key === undefined) unwritable += values.length;
      else {
        values.forEach((value, i) => {
          this.#text += formatLine(key, value, timesSec[i]!);
          if (this.#text.length >= PIECE_CHARS) this.finish();
        });
      }
    }
    return unwritable;
  }

  finish(): void {
    this.#sink(this.#encoder.encode(this.#text));
    this.#text = "";
  }
}

class ParquetWriter implements ExportWriter {
  readonly #rows: ParquetRows;

  constructor(cluster: string, sink: (bytes: Uint8Array) => void) {
    this.#rows = new ParquetRows({ cluster, sink });
  }

  add({ host, series }: ExportedHost): number {
    this.#rows.add(host, series.map(rowsOf));
    return 0;
  }

  finish(): void {
    this.#rows.finish();
  }
}

function rowsOf(
  { metric, levels, frequencySec, timesSec, values }: ExportedSeries,
): SeriesRows {
  const own = levels.at(-1);
  const above = levels.length > 1 ? levels[0] : undefined;
  return {
    metric,
    ...(own === undefined ? { scope: "node", scopeId: "" } : scopeOf(own)),
    ...(above === undefined ? {} : { parent: scopeOf(above) }),
    frequencySec,
    timesSec,
    values,
  };
}

/** Upstream's archive calls `cpu` by its newer name. */
function scopeOf(level: string): { scope: string; scopeId: string } {
  const { type, id }: LevelName = splitLevelName(level);
  return { scope: type === "cpu" ? "hwthread" : type, scopeId: id };
}
