/**
 * The service that compresses what was left plain, and clears away files that were
 * never finished: a part of the archive at a time, so that the thread that writes
 * is not kept from writing. The writing thread only.
 */
import { nowSec } from "../../base/clock.ts";
import { DENO_FILES, type Files } from "../../metricstore/persist/files.ts";
import { TEMPORARY_SUFFIX } from "../../metricstore/persist/filenames.ts";
import { orStorageError } from "../../metricstore/persist/storage_error.ts";
import { COMPRESS_FILE, jobDirectory } from "./archive_layout.ts";
import { walkArchive, type WalkCursor } from "./archive_walk.ts";
import { packDataFile, writeWhole } from "./data_file.ts";

export interface CompressionStep {
  /** Only jobs that started before; Unix epoch seconds. */
  readonly beforeSec: number;
  readonly after?: WalkCursor | undefined;
  /** Directories looked at before it returns. */
  readonly directoriesMax: number;
}

export interface CompressionProgress {
  /** Where to go on; absent: the archive is through. */
  readonly after?: WalkCursor;
  readonly compressed: number;
  readonly removed: number;
}

/** One step through the archive; the last one notes the time in `compress.txt`. */
export async function compressStep(
  root: string,
  step: CompressionStep,
  files: Files = DENO_FILES,
): Promise<CompressionProgress> {
  let looked = 0;
  let compressed = 0;
  let removed = 0;
  for (const place of walkArchive(root, { after: step.after })) {
    if (place.startTime < step.beforeSec) {
      const directory = jobDirectory(root, place);
      removed += removeUnfinished(files, directory);
      if (await packDataFile(files, directory)) compressed++;
    }
    if (++looked >= step.directoriesMax) {
      return { after: place, compressed, removed };
    }
  }
  const now = new TextEncoder().encode(`${nowSec()}\n`);
  writeWhole(files, root, COMPRESS_FILE, [now]);
  return { compressed, removed };
}

/** Removes unfinished files. No other thread writes, so they stay unfinished. */
function removeUnfinished(files: Files, directory: string): number {
  const names = files.list(directory)
    .filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  for (const name of names) {
    const path = `${directory}/${name}`;
    orStorageError("an unfinished file cannot be removed", path, () => {
      files.remove(path);
    });
  }
  return names.length;
}
