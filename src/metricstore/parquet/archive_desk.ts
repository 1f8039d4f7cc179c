/** Answers the requests to the archive's worker. Worker thread only. */
import { Buffer } from "node:buffer";
import { assert } from "../../base/assert.ts";
import { nowSec } from "../../base/clock.ts";
import { DENO_FILES, type Files } from "../persist/files.ts";
import { StorageError } from "../persist/storage_error.ts";
import type { ArchiveAnswer, ArchiveRequest } from "./archive_messages.ts";
import { ClusterArchive } from "./cluster_archive.ts";

export class ArchiveDesk {
  readonly #files: Files;
  #archive: ClusterArchive | undefined;

  constructor(files: Files = DENO_FILES) {
    this.#files = files;
  }

  /** A request that fails ends the file it is about: nothing of it is left. */
  answer(request: ArchiveRequest): ArchiveAnswer {
    try {
      return { isOk: true, value: this.#do(request) };
    } catch (error) {
      return this.#giveUp(error);
    }
  }

  #do(request: ArchiveRequest): number {
    if (request.kind === "open") {
      assert(this.#archive === undefined, "one file is written at a time");
      this.#archive = new ClusterArchive({
        ...request,
        files: this.#files,
        nowSec: nowSec(),
      });
      return this.#archive.fromSec;
    }
    const archive = this.#archive;
    assert(archive !== undefined, "a file is begun before it is written");
    switch (request.kind) {
      case "series":
        archive.addSeries(Buffer.concat(request.pieces));
        return 0;
      case "end-host":
        archive.endHost(request.host);
        return 0;
      case "finish": {
        const rows = archive.finish();
        this.#archive = undefined;
        return rows;
      }
    }
  }

  #giveUp(error: unknown): ArchiveAnswer {
    let reason = error;
    try {
      this.#archive?.abort();
    } catch (failure) {
      // The next run removes the rest of the file.
      reason = new AggregateError([error, failure], `${error}; ${failure}`);
    }
    this.#archive = undefined;
    return {
      isOk: false,
      message: reason instanceof Error ? reason.message : String(reason),
      path: error instanceof StorageError ? error.path : "",
    };
  }
}
