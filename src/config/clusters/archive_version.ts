/**
 * `version.txt` of the job archive: which layout its directories have. Start of
 * the server and archive commands; main thread.
 */
import { ConfigError } from "../settings/config_error.ts";
import { DENO_FILES, type Files } from "../../metricstore/persist/files.ts";
import { writeAll } from "../../metricstore/persist/write_all.ts";

/** The only layout this server reads and writes. */
export const ARCHIVE_VERSION = 3;

const FILE_NAME = "version.txt";

/**
 * Checks the version of the archive in an existing directory; one that is empty,
 * files whose name begins with a dot aside, becomes an archive. Throws a
 * {@linkcode ConfigError} where the directory holds anything else.
 */
export function checkArchiveVersion(
  directory: string,
  files: Pick<Files, "create"> = DENO_FILES,
): void {
  const file = `${directory}/${FILE_NAME}`;
  if (isVersionGood(file)) return;
  const [other] = archiveEntries(directory);
  if (other !== undefined) {
    throw versionError(
      file,
      `missing beside ${other.name}`,
      `a file with ${ARCHIVE_VERSION}, or an empty directory`,
    );
  }
  const made = files.create(file);
  try {
    writeAll(made, new TextEncoder().encode(`${ARCHIVE_VERSION}\n`));
  } finally {
    made.close();
  }
}

/**
 * Checks the version of an archive that this server does not write, which may be a part
 * that was copied without its version. Writes nothing. Throws a {@linkcode ConfigError}
 * for another version. Returns false if the archive has no version file.
 */
export function checkForeignVersion(directory: string): boolean {
  return isVersionGood(`${directory}/${FILE_NAME}`);
}

/** Returns false if the file does not exist. */
function isVersionGood(file: string): boolean {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  if (text.trim() === String(ARCHIVE_VERSION)) return true;
  throw versionError(
    file,
    `got ${JSON.stringify(text.trim().slice(0, 80))}`,
    `${ARCHIVE_VERSION}; archives of other versions are migrated with cc-backend's archive-migration`,
  );
}

/** Makes the archive's directory where there is none, then checks its version. */
export function prepareArchive(
  directory: string,
  files: Files = DENO_FILES,
): void {
  Deno.mkdirSync(directory, { recursive: true });
  checkArchiveVersion(directory, files);
}

/** Lists the entries of the archive's directory without those that begin with a dot. */
export function archiveEntries(directory: string): Deno.DirEntry[] {
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

function versionError(
  file: string,
  found: string,
  expected: string,
): ConfigError {
  return new ConfigError([
    { file, line: 0, column: 0, path: "", found, expected },
  ]);
}
