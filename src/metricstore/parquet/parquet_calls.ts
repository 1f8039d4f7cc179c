/** The calls of the worker that writes Parquet files: one file at a time, call by call. */
export interface ParquetCalls {
  /** Begins a cluster's file. Returns up to where its rows are in files, seconds. */
  open(
    file: {
      readonly directory: string;
      readonly instance: string;
      readonly cluster: string;
      readonly toSec: number;
    },
  ): number;
  /** Series of a host, the pieces in their order. */
  addSeries(pieces: readonly Uint8Array<ArrayBuffer>[]): void;
  /** The host has no more series. */
  endHost(host: string): void;
  /** Puts the file in place. Returns its rows. */
  finish(): number;
}
