/**
 * The narrow file layer below log and snapshots, so that tests can put one that
 * fails in its place. Everything is synchronous: the callers are shard workers
 * that block in `Atomics.wait` and have no event loop.
 *
 * The methods throw what the operating system says, `Deno.errors` with a `code`;
 * callers turn that into a `StorageError` that names what they were doing.
 */

/**
 * A file that is open. Only `Files.create` makes one that can be written or cut;
 * any can be synced, which covers what other processes wrote to it.
 */
export interface OpenFile {
  /** Appends; may take fewer bytes than given. Returns how many it took. */
  write(bytes: Uint8Array): number;
  /** Reads at `offset` from the start; fewer bytes than asked for mean the end. */
  read(target: Uint8Array, offset: number): number;
  size(): number;
  /** Cuts the file to `bytes`; the next write continues there. */
  truncate(bytes: number): void;
  /** Returns when data and size are on the device. */
  sync(): void;
  close(): void;
}

export interface Files {
  /** Makes a new, empty file for appending; a file of that name is emptied. */
  create(path: string): OpenFile;
  openToRead(path: string): OpenFile;
  /** Replaces `to` in one step. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Names of the plain files in a directory, sorted; none if it does not exist. */
  list(directory: string): string[];
  /** Makes a directory and its parents; it may exist. */
  makeDirectory(directory: string): void;
  /** Returns when the names in the directory are on the device. */
  syncDirectory(directory: string): void;
}

class DenoFile implements OpenFile {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  write(bytes: Uint8Array): number {
    return this.#file.writeSync(bytes);
  }

  read(target: Uint8Array, offset: number): number {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < target.length) {
      const count = this.#file.readSync(target.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return filled;
  }

  size(): number {
    return this.#file.statSync().size;
  }

  truncate(bytes: number): void {
    this.#file.truncateSync(bytes);
  }

  sync(): void {
    this.#file.syncDataSync();
  }

  close(): void {
    this.#file.close();
  }
}

/** The files of the operating system. */
export const DENO_FILES: Files = {
  create(path) {
    // Appending, so that a write after `truncate` continues at the new end.
    const options = { create: true, append: true };
    const file = new DenoFile(Deno.openSync(path, options));
    try {
      if (file.size() > 0) file.truncate(0);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  },
  openToRead(path) {
    return new DenoFile(Deno.openSync(path, { read: true }));
  },
  rename(from, to) {
    Deno.renameSync(from, to);
  },
  remove(path) {
    Deno.removeSync(path);
  },
  list(directory) {
    try {
      return [...Deno.readDirSync(directory)]
        .filter((entry) => entry.isFile)
        .map((entry) => entry.name)
        .sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  },
  makeDirectory(directory) {
    Deno.mkdirSync(directory, { recursive: true });
  },
  syncDirectory(directory) {
    const handle = Deno.openSync(directory, { read: true });
    try {
      handle.syncSync();
    } finally {
      handle.close();
    }
  },
};
