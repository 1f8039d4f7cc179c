/**
 * Messages between the main thread and the archive's worker: one request at a time,
 * each with one answer. Errors cross as data.
 */
export type ArchiveRequest =
  /** Begins a cluster's file. Answer: up to where its rows are in files. */
  | {
    readonly kind: "open";
    readonly directory: string;
    readonly instance: string;
    readonly cluster: string;
    readonly toSec: number;
  }
  /** Series of a host, the pieces in their order. */
  | {
    readonly kind: "series";
    readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  }
  /** The host has no more series. */
  | { readonly kind: "end-host"; readonly host: string }
  /** Puts the file in place. Answer: its rows. */
  | { readonly kind: "finish" };

export type ArchiveAnswer =
  | { readonly isOk: true; readonly value: number }
  | { readonly isOk: false; readonly message: string; readonly path: string };
