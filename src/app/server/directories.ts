/**
 * The directories a server keeps things in: locked against a second process, and
 * written to once before anything depends on it. Main thread, at start.
 */
import { keyFileFault } from "../../access/key_files.ts";
import { readableKeys } from "../../access/keys.ts";
import { monotonicMs } from "../../base/clock.ts";
import type { Config } from "../../config/settings/mod.ts";
import { storeLock } from "../../metricstore/coordinator/store_layouts.ts";
import { errorText, type Log } from "../../base/log.ts";
import {
  type HeldLock,
  holdLock,
  LOCK_WAIT_MS,
  LockError,
  type LockSubject,
} from "../../metricstore/persist/directory_lock.ts";
import { storeDirectory } from "../../metricstore/persist/filenames.ts";

/** What SQLite calls its own files begins with the name of the database as well. */
const DATABASE_LOCK_SUFFIX = ".lock";
/** Names with a dot in front are no part of the archive. */
const ARCHIVE_LOCK = ".ringstore.lock";

/** The locks a server holds until it ends. */
export interface ServerLocks {
  /** Lock of log and snapshots; the engine gives it back. */
  readonly store: HeldLock;
  readonly database: HeldLock;
  /** Lock of the job archive; absent while that does not exist. */
  readonly archive: HeldLock | undefined;
}

/** The lock that keeps a second server away from `main.db`; commands do not take it. */
export function databaseLock({ main }: Pick<Config, "main">): LockSubject {
  return {
    file: main.db + DATABASE_LOCK_SUFFIX,
    key: "main.db",
    path: main.db,
  };
}

/** The lock that keeps a second server away from the archive of jobs; commands do not take it. */
function archiveLock({ archive }: Pick<Config, "archive">): LockSubject {
  return {
    file: `${archive.path}/${ARCHIVE_LOCK}`,
    key: "archive.path",
    path: archive.path,
  };
}

/**
 * Waits for the server before, as far as it ends soon. Rejects with a `LockError`
 * that names the directory and who holds it.
 */
export async function holdDirectories(
  config: Config,
  log: Pick<Log, "warn">,
): Promise<ServerLocks> {
  const deadline = monotonicMs() + LOCK_WAIT_MS;
  const hold = async (subject: LockSubject) => {
    const lock = await holdLock(subject, {
      waitMs: Math.max(0, deadline - monotonicMs()),
      onWait: (message) => log.warn(`waiting: ${message}`),
    });
    if (lock.problem !== undefined) {
      log.warn(`${subject.key}: nothing can be written at present`, {
        file: subject.file,
        reason: lock.problem,
      });
    }
    return lock;
  };
  const held: HeldLock[] = [];
  try {
    const store = await hold(storeLock(directoryOf(config)));
    held.push(store);
    closeToOthers(storeDirectory(directoryOf(config)));
    const database = await hold(databaseLock(config));
    held.push(database);
    const { kind, path } = config.archive;
    const archive = kind === "file" && isDirectory(path)
      ? await hold(archiveLock(config)).catch((error) => noRoom(error, log))
      : undefined;
    return { store, database, archive };
  } catch (error) {
    for (const lock of held) lock.release();
    throw error;
  }
}

/** A full disk has no room for the first lock file; it does not keep a server from starting. */
function noRoom(error: unknown, log: Pick<Log, "warn">): undefined {
  const cause = error instanceof LockError ? error.cause : undefined;
  if (!isFull(cause)) throw error;
  log.warn("archive.path is not locked", { reason: errorText(cause) });
}

/** It may be from a time when others could read it; only its owner can change that. */
function closeToOthers(directory: string): void {
  const { mode, uid } = Deno.statSync(directory);
  if (uid !== Deno.uid() || ((mode ?? 0) & 0o077) === 0) return;
  Deno.chmodSync(directory, 0o700);
}

function directoryOf({ "metric-store": store }: Config): string {
  return store.checkpoints.directory;
}

/**
 * Writes a file in each directory that is needed later and exists now; that of
 * `main.db` has been tried with its lock. Throws an
 * error that names the key of the first that cannot be written; where only the room
 * is missing it warns, since a full disk is mended while the server runs.
 */
export function tryDirectories(
  config: Config,
  log: Pick<Log, "warn">,
): void {
  const { archive, main, "metric-store": store } = config;
  const directories: [string, string][] = [
    ["archive.path", archive.path],
    [
      "metric-store.checkpoints.directory",
      storeDirectory(store.checkpoints.directory),
    ],
    ["metric-store.cleanup.directory", store.cleanup.directory],
    ["main.machine-state-dir", main["machine-state-dir"]],
  ];
  for (const [key, directory] of directories) {
    if (directory === "" || !isDirectory(directory)) continue;
    const path = `${directory}/.ringstore-${crypto.randomUUID()}.tmp`;
    try {
      writeOnce(path);
    } catch (error) {
      const message = `${key}: nothing can be written in ${directory}`;
      if (!isFull(error)) throw new Error(message, { cause: error });
      log.warn(message, { reason: errorText(error) });
    }
  }
}

/** Keys that others can read are told of. Throws where others can change that of TLS. */
export function checkKeys(
  { main }: Pick<Config, "main">,
  log: Pick<Log, "warn">,
): void {
  for (const message of readableKeys()) log.warn(message);
  const file = main["https-key-file"];
  const fault = file === "" ? undefined : keyFileFault(file, "group");
  if (fault?.verdict === "refuse") {
    throw new Error(`main.https-key-file: ${fault.message}`);
  }
  if (fault !== undefined) log.warn(`main.https-key-file: ${fault.message}`);
}

function writeOnce(path: string): void {
  const file = Deno.openSync(path, { createNew: true, write: true });
  try {
    file.writeSync(new TextEncoder().encode("ringstore\n"));
    file.syncDataSync();
  } finally {
    file.close();
    Deno.removeSync(path);
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "ENOSPC" || code === "EDQUOT";
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
