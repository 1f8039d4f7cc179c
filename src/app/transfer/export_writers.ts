/** The formats of an export. Each writer takes one host after the other. Pure. */
import type { ExportedHost, ExportedSeries } from "./export_samples.ts";
import {
  LEVEL_TYPES,
  type LevelName,
  splitLevelName,
} from "../../metricstore/parquet/level_names.ts";
import { formatLine, lineKey } from "./line_format.ts";
import {
  ParquetRows,
  type SeriesRows,
} from "../../metricstore/parquet/parquet_rows.ts";

export const EXPORT_FORMATS = ["line", "parquet"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

export interface ExportWriter {
  /** Hosts come sorted. Returns how many samples the format could not hold. */
  add(host: ExportedHost): number;
  finish(): void;
}

/** Lines are handed over in pieces of about this size. */
const PIECE_CHARS = 1 << 20;

/** `moreTypes`: types of levels besides {@linkcode LEVEL_TYPES}. */
export function createWriter(
  format: ExportFormat,
  cluster: string,
  sink: (bytes: Uint8Array) => void,
  moreTypes: readonly string[] = [],
): ExportWriter {
  const types = [...LEVEL_TYPES, ...moreTypes];
  return format === "line"
    ? new LineWriter(cluster, sink, types)
    : new ParquetWriter(cluster, sink, types);
}

class LineWriter implements ExportWriter {
  readonly #cluster: string;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #types: readonly string[];
  readonly #encoder = new TextEncoder();
  #text = "";

  constructor(
    cluster: string,
    sink: (bytes: Uint8Array) => void,
    types: readonly string[],
  ) {
    this.#cluster = cluster;
    this.#sink = sink;
    this.#types = types;
  }

  add({ host, series }: ExportedHost): number {
    let unwritable = 0;
    for (const { metric, levels, timesSec, values } of series) {
      const name = { cluster: this.#cluster, host, levels, metric };
      const key = lineKey(name, this.#types);
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
  readonly #types: readonly string[];

  constructor(
    cluster: string,
    sink: (bytes: Uint8Array) => void,
    types: readonly string[],
  ) {
    this.#rows = new ParquetRows({ cluster, sink });
    this.#types = types;
  }

  add({ host, series }: ExportedHost): number {
    this.#rows.add(host, series.map((one) => rowsOf(one, this.#types)));
    return 0;
  }

  finish(): void {
    this.#rows.finish();
  }
}

function rowsOf(
  { metric, levels, frequencySec, timesSec, values }: ExportedSeries,
  types: readonly string[],
): SeriesRows {
  const scopeOf = (level: string) => scopeOfLevel(level, types);
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
function scopeOfLevel(
  level: string,
  types: readonly string[],
): { scope: string; scopeId: string } {
  const { type, id }: LevelName = splitLevelName(level, types);
  return { scope: type === "cpu" ? "hwthread" : type, scopeId: id };
}
