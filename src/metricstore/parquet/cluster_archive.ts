/**
 * One cluster's file of one run: rows of its hosts, put in place when all of them
 * are there. Worker thread of the archive only.
 */
import { assert } from "../../base/assert.ts";
import { AtomicFile } from "../persist/atomic_file.ts";
import type { Files } from "../persist/files.ts";
import { orStorageError } from "../persist/storage_error.ts";
import { ParquetRows, type SeriesRows } from "./parquet_rows.ts";
import {
  archiveName,
  clusterDirectory,
  leftovers,
  reachedInDirectory,
} from "./archive_names.ts";
import { readSeries } from "./archive_series.ts";

export interface ClusterArchiveOptions {
  readonly files: Files;
  /** `cleanup.directory`; it exists. */
  readonly directory: string;
  readonly instance: string;
  readonly cluster: string;
  /** Rows are before it, and it names the file. */
  readonly toSec: number;
  readonly nowSec: number;
}

export class ClusterArchive {
  /** Rows before it are in files already; -Infinity: there are none. */
  readonly fromSec: number;
  readonly #options: ClusterArchiveOptions;
  readonly #directory: string;
  /** Made with the first row: a run without rows leaves no file. */
  #open: { readonly file: AtomicFile; readonly rows: ParquetRows } | undefined;
  /** The series of the host that is being received. */
  #host: SeriesRows[] = [];

  constructor(options: ClusterArchiveOptions) {
    this.#options = options;
    const { files, directory, instance, cluster, nowSec } = options;
    this.#directory = clusterDirectory(directory, instance, cluster);
    this.fromSec = orStorageError(
      "an archive's directory cannot be read",
      this.#directory,
      () => {
        for (const name of leftovers(files, this.#directory)) {
          files.remove(`${this.#directory}/${name}`);
        }
        const reachedSec = reachedInDirectory(files, this.#directory, nowSec);
        // The process that made that name may have ended before a sync of the
        // directory.
        if (reachedSec > -Infinity) files.syncDirectory(this.#directory);
        return reachedSec;
      },
    );
  }

  /** Whole series of a host, as a shard sent them. */
  addSeries(bytes: Uint8Array): void {
    const { toSec } = this.#options;
    for (const series of readSeries(bytes, this.fromSec, toSec)) {
      this.#host.push(series);
    }
  }

  /** That was all of the host; hosts come sorted. Throws a `StorageError`. */
  endHost(host: string): void {
    const series = this.#host;
    this.#host = [];
    if (series.length === 0) return;
    this.#open ??= this.#create();
    this.#open.rows.add(host, series);
  }

  /** Puts the file in place and returns its rows. Throws a `StorageError`. */
  finish(): number {
    if (this.#open === undefined) return 0;
    const { file, rows } = this.#open;
    rows.finish();
    file.publish();
    this.#open = undefined;
    return rows.rows;
  }

  /** Gives the file up. */
  abort(): void {
    this.#open?.file.abort();
    this.#open = undefined;
  }

  #create() {
    const { files, directory, cluster, toSec } = this.#options;
    assert(toSec > this.fromSec, "a file is never written twice");
    orStorageError(
      "an archive's directory cannot be made",
      this.#directory,
      () => {
        files.makeDirectory(this.#directory);
        // The directory may be new, and that of its instance.
        for (
          let path = this.#directory;
          path.length > directory.length;
        ) {
          path = path.slice(0, path.lastIndexOf("/"));
          files.syncDirectory(path);
        }
      },
    );
    const file = new AtomicFile(files, this.#directory, archiveName(toSec));
    const sink = (bytes: Uint8Array) => file.write(bytes);
    return { file, rows: new ParquetRows({ cluster, sink }) };
  }
}
