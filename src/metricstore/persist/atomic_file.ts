/**
 * A file that appears whole or not at all: written beside its place under
 * `<name>.tmp`, synced, renamed, and the directory synced. A leftover `.tmp` is
 * of no use to anybody; the next start removes it.
 */
import { assert } from "../../base/assert.ts";
import { TEMPORARY_SUFFIX } from "./filenames.ts";
import type { Files, OpenFile } from "./files.ts";
import { orStorageError } from "./storage_error.ts";
import { writeAll } from "./write_all.ts";

export class AtomicFile {
  readonly #files: Files;
  readonly #directory: string;
  readonly #path: string;
  readonly #temporaryPath: string;
  #file: OpenFile | undefined;

  /** Begins `<directory>/<name>`; the directory exists. */
  constructor(files: Files, directory: string, name: string) {
    this.#files = files;
    this.#directory = directory;
    this.#path = `${directory}/${name}`;
    this.#temporaryPath = this.#path + TEMPORARY_SUFFIX;
    this.#file = orStorageError(
      "a file cannot be created",
      this.#temporaryPath,
      () => files.create(this.#temporaryPath),
    );
  }

  /** Appends all of `bytes`, or throws a `StorageError`. */
  write(bytes: Uint8Array): void {
    const file = this.#openFile();
    orStorageError(
      "a file cannot be written",
      this.#temporaryPath,
      () => writeAll(file, bytes),
    );
  }

  /** Puts what was written so far on the device, so that `publish` has less to do. */
  sync(): void {
    const file = this.#openFile();
    orStorageError(
      "a file cannot be synced",
      this.#temporaryPath,
      () => file.sync(),
    );
  }

  /**
   * Makes the file durable under its name. When this throws, the file may have
   * its name already, but whether a power cut leaves it there is open; the file
   * that had the name before may be gone only if this one is in its place.
   */
  publish(): void {
    this.sync();
    this.#close();
    orStorageError(
      "a file cannot be given its name",
      this.#path,
      () => {
        this.#files.rename(this.#temporaryPath, this.#path);
        this.#files.syncDirectory(this.#directory);
      },
    );
  }

  /** Gives the file up. May be called after anything here has thrown. */
  abort(): void {
    this.#close();
    orStorageError(
      "an unfinished file cannot be removed",
      this.#temporaryPath,
      () => {
        try {
          this.#files.remove(this.#temporaryPath);
        } catch (error) {
          // It has its name already, or was never made.
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      },
    );
  }

  #openFile(): OpenFile {
    assert(this.#file !== undefined, "the file is still open");
    return this.#file;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
