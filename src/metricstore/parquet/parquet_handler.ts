/** Answers the calls to the worker that writes Parquet files. Worker thread only. */
import { Buffer } from "node:buffer";
import { assert } from "../../base/assert.ts";
import { nowSec } from "../../base/clock.ts";
import type { CallInput, WorkerCall } from "../../base/worker_call.ts";
import { DENO_FILES, type Files } from "../persist/files.ts";
import { StorageError } from "../persist/storage_error.ts";
import { ClusterArchive } from "./cluster_archive.ts";
import type { ParquetCalls } from "./parquet_calls.ts";
import { ParquetError } from "./parquet_error.ts";

export class ParquetHandler {
  readonly #files: Files;
  #archive: ClusterArchive | undefined;

  constructor(files: Files = DENO_FILES) {
    this.#files = files;
  }

  /**
   * Returns the value of a call. A call that fails ends the file it is about: nothing
   * of it is left. Throws a {@linkcode ParquetError} then.
   */
  answer(call: WorkerCall<ParquetCalls>): number | undefined {
    try {
      return this.#do(call);
    } catch (error) {
      throw this.#giveUp(error);
    }
  }

  #do(call: WorkerCall<ParquetCalls>): number | undefined {
    if (call.name === "open") return this.#open(call.input);
    const archive = this.#archive;
    assert(archive !== undefined, "a file is begun before it is written");
    switch (call.name) {
      case "addSeries":
        archive.addSeries(Buffer.concat(call.input));
        return undefined;
      case "endHost":
        archive.endHost(call.input);
        return undefined;
      case "finish": {
        const rows = archive.finish();
        this.#archive = undefined;
        return rows;
      }
    }
  }

  #open(file: CallInput<ParquetCalls, "open">): number {
    assert(this.#archive === undefined, "one file is written at a time");
    this.#archive = new ClusterArchive({
      ...file,
      files: this.#files,
      nowSec: nowSec(),
    });
    return this.#archive.fromSec;
  }

  #giveUp(error: unknown): ParquetError {
    let reason = error;
    try {
      this.#archive?.abort();
    } catch (failure) {
      // The next run removes the rest of the file.
      reason = new AggregateError([error, failure], `${error}; ${failure}`);
    }
    this.#archive = undefined;
    return new ParquetError(
      reason instanceof Error ? reason.message : String(reason),
      error instanceof StorageError ? error.path : "",
    );
  }
}
