/**
 * Where archived samples lie: `<directory>/<cluster>/<limit>.parquet` for the
 * default instance, `<directory>/@<instance>/<cluster>/<limit>.parquet` for others.
 * The largest limit in a cluster's directory says up to where its samples are in
 * files; nothing else remembers it.
 */
import { createHash } from "node:crypto";
import { TEMPORARY_SUFFIX } from "../persist/filenames.ts";
import type { Files } from "../persist/files.ts";
import { orStorageError } from "../persist/storage_error.ts";

const SUFFIX = ".parquet";
const LIMIT_NAME = /^(0|[1-9]\d{0,14})\.parquet$/;
/** Bytes of a directory's name; file systems allow 255. */
const NAME_BYTES_MAX = 200;
/** Characters that a name cannot have as they are, and our own two marks. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[/\\%~\x00-\x1f\x7f]|^[.@]/g;

/** Returns the name of the file with the samples before `limitSec`, Unix seconds. */
export function archiveName(limitSec: number): string {
  return `${limitSec}${SUFFIX}`;
}

/** The directory of a cluster's files. */
export function clusterDirectory(
  directory: string,
  instance: string,
  cluster: string,
): string {
  const parent = instance === ""
    ? directory
    : `${directory}/@${safeName(instance)}`;
  return `${parent}/${safeName(cluster)}`;
}

/** Escapes what a path gives a meaning; a name that is too long ends in its hash. */
function safeName(name: string): string {
  const safe = name.replace(
    UNSAFE,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  if (new TextEncoder().encode(safe).length <= NAME_BYTES_MAX) return safe;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  // A UTF-16 unit becomes three bytes at most.
  return `${safe.slice(0, 50)}~${hash}`;
}

/**
 * The largest limit among the files of a directory; -Infinity: there are none. A
 * limit later than `nowSec` cannot be one of ours.
 */
export function reachedInDirectory(
  files: Files,
  directory: string,
  nowSec: number,
): number {
  let reachedSec = -Infinity;
  for (const name of files.list(directory)) {
    const limitSec = Number(LIMIT_NAME.exec(name)?.[1] ?? NaN);
    if (limitSec <= nowSec) reachedSec = Math.max(reachedSec, limitSec);
  }
  return reachedSec;
}

/** Returns the files that earlier, broken runs left in a directory. */
export function leftovers(files: Files, directory: string): string[] {
  return files.list(directory)
    .filter((name) => name.endsWith(SUFFIX + TEMPORARY_SUFFIX));
}

/**
 * Makes the directory and returns up to where the files in it reach, over all
 * clusters; -Infinity: there are none. Throws a `StorageError`.
 */
export function openArchive(
  files: Files,
  directory: string,
  nowSec: number,
): number {
  return orStorageError(
    `the archive cannot be kept in ${directory}`,
    directory,
    () => {
      files.makeDirectory(directory);
      return reachedInArchive(files, directory, nowSec);
    },
  );
}

function reachedInArchive(
  files: Files,
  directory: string,
  nowSec: number,
): number {
  let reachedSec = -Infinity;
  for (const name of directoriesIn(directory)) {
    const path = `${directory}/${name}`;
    const paths = [path];
    if (name.startsWith("@")) {
      paths.push(...directoriesIn(path).map((inner) => `${path}/${inner}`));
    }
    for (const one of paths) {
      reachedSec = Math.max(reachedSec, reachedInDirectory(files, one, nowSec));
    }
  }
  return reachedSec;
}

/** Directories, also those that are links to other disks. */
function directoriesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .filter((entry) =>
      entry.isDirectory ||
      (entry.isSymlink &&
        Deno.statSync(`${directory}/${entry.name}`).isDirectory)
    )
    .map((entry) => entry.name);
}
