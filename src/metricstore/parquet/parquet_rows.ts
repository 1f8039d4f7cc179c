/**
 * Samples as a Parquet file with upstream's columns (metric-store 8.6), the
 * value as double, zstd. Rows are sorted by hostname, metric, scope, scope_id,
 * parent_scope, parent_scope_id and timestamp, names by their UTF-16 code
 * units.
 *
 * A host at a time is in memory: row groups are handed to the sink as soon as they
 * are made.
 */
import { Buffer } from "node:buffer";
import { zstdCompressSync } from "node:zlib";
import { ByteWriter, type ColumnSource, ParquetWriter } from "hyparquet-writer";
import { assert } from "../../base/assert.ts";

/** Rows of a row group at the most; about 60 MB of columns while it is made. */
const GROUP_ROWS_MAX = 1 << 20;

/** The samples of one series, oldest first. */
export interface SeriesRows {
  readonly metric: string;
  /** Type of the level, `node` for the host itself. */
  readonly scope: string;
  readonly scopeId: string;
  /** The level above, where that is not the host. */
  readonly parent?: { readonly scope: string; readonly scopeId: string };
  readonly frequencySec: number;
  readonly timesSec: ArrayLike<number>;
  /** As many as times; without NaN. */
  readonly values: ArrayLike<number>;
}

export interface ParquetRowsOptions {
  readonly cluster: string;
  /** Gets the bytes of the file one after the other; they are not used again. */
  readonly sink: (bytes: Uint8Array) => void;
  /** For tests. */
  readonly groupRowsMax?: number;
}

const TEXT = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
const REQUIRED = { repetition_type: "REQUIRED" } as const;
const OPTIONAL = { repetition_type: "OPTIONAL" } as const;

const SCHEMA = [
  { name: "root", num_children: 10 },
  { name: "cluster", ...TEXT, ...REQUIRED },
  { name: "hostname", ...TEXT, ...REQUIRED },
  { name: "metric", ...TEXT, ...REQUIRED },
  { name: "scope", ...TEXT, ...REQUIRED },
  { name: "scope_id", ...TEXT, ...REQUIRED },
  { name: "parent_scope", ...TEXT, ...OPTIONAL },
  { name: "parent_scope_id", ...TEXT, ...OPTIONAL },
  { name: "timestamp", type: "INT64", ...REQUIRED },
  { name: "frequency", type: "INT64", ...REQUIRED },
  { name: "value", type: "DOUBLE", ...REQUIRED },
] as const;

/** Writes one file: `add` for each host in their order, then `finish`. */
export class ParquetRows {
  readonly #cluster: string;
  readonly #groupRowsMax: number;
  readonly #bytes: SinkWriter;
  readonly #writer: ParquetWriter;
  #lastHost: string | undefined;
  #rows = 0;

  constructor(options: ParquetRowsOptions) {
    this.#cluster = options.cluster;
    this.#groupRowsMax = options.groupRowsMax ?? GROUP_ROWS_MAX;
    this.#bytes = new SinkWriter(options.sink);
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: SCHEMA.map((element) => ({ ...element })),
      codec: "ZSTD",
      compressors: { ZSTD: (input) => zstdCompressSync(Buffer.from(input)) },
      createdBy: "ringstore",
    });
  }

  /** Rows written so far. */
  get rows(): number {
    return this.#rows;
  }

  /** All samples of a host; hosts must come sorted, each of them once. */
  add(host: string, series: readonly SeriesRows[]): void {
    assert(
      this.#lastHost === undefined || this.#lastHost < host,
      `host ${host} must not follow ${this.#lastHost}`,
    );
    this.#lastHost = host;
    let group: Span[] = [];
    let rows = 0;
    for (const one of series.toSorted(compareSeries)) {
      const length = one.values.length;
      assert(one.timesSec.length === length, "a time for each value");
      for (let from = 0; from < length;) {
        const to = Math.min(length, from + this.#groupRowsMax - rows);
        group.push({ series: one, from, to });
        rows += to - from;
        from = to;
        if (rows < this.#groupRowsMax) continue;
        this.#writeGroup(host, group, rows);
        group = [];
        rows = 0;
      }
    }
    if (rows > 0) this.#writeGroup(host, group, rows);
  }

  /** Writes the end of the file; nothing may be added any more. */
  finish(): void {
    this.#writer.finish();
    this.#bytes.flush();
  }

  #writeGroup(host: string, group: readonly Span[], rows: number): void {
    const timestamps = new BigInt64Array(rows);
    const frequencies = new BigInt64Array(rows);
    const values = new Float64Array(rows);
    let row = 0;
    for (const { series, from, to } of group) {
      frequencies.fill(BigInt(series.frequencySec), row, row + to - from);
      for (let i = from; i < to; i++, row++) {
        timestamps[row] = BigInt(series.timesSec[i]!);
        values[row] = series.values[i]!;
      }
    }
    const text = (of: (series: SeriesRows) => string | null) => {
      const column = new Array<string | null>(rows);
      let at = 0;
      for (const { series, from, to } of group) {
        column.fill(of(series), at, at += to - from);
      }
      return column;
    };
    const columnData: ColumnSource[] = [
      { name: "cluster", data: text(() => this.#cluster) },
      { name: "hostname", data: text(() => host) },
      { name: "metric", data: text(({ metric }) => metric) },
      { name: "scope", data: text(({ scope }) => scope) },
      { name: "scope_id", data: text(({ scopeId }) => scopeId) },
      {
        name: "parent_scope",
        data: text(({ parent }) => parent?.scope ?? null),
      },
      {
        name: "parent_scope_id",
        data: text(({ parent }) => parent?.scopeId ?? null),
      },
      { name: "timestamp", data: timestamps, encoding: "DELTA_BINARY_PACKED" },
      { name: "frequency", data: frequencies },
      { name: "value", data: values, encoding: "PLAIN" },
    ];
    // The sink is synchronous, so there is no promise to wait for.
    this.#writer.write({ columnData, rowGroupSize: rows });
    this.#rows += rows;
  }
}

/** Samples [from, to) of a series. */
interface Span {
  readonly series: SeriesRows;
  readonly from: number;
  readonly to: number;
}

/** Hands over what it holds after each row group, instead of growing. */
class SinkWriter extends ByteWriter {
  readonly #sink: (bytes: Uint8Array) => void;

  constructor(sink: (bytes: Uint8Array) => void) {
    super();
    this.#sink = sink;
  }

  flush(): void {
    // `offset` goes on counting: it is the place in the file.
    this.#sink(this.getBytes().slice());
    this.index = 0;
  }
}

function compareSeries(a: SeriesRows, b: SeriesRows): number {
  return compare(a.metric, b.metric) || compare(a.scope, b.scope) ||
    compare(a.scopeId, b.scopeId) ||
    compare(a.parent?.scope ?? "", b.parent?.scope ?? "") ||
    compare(a.parent?.scopeId ?? "", b.parent?.scopeId ?? "");
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
