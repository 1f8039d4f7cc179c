/**
 * The directories a server keeps things in: locked against a second process, and
 * written to once before anything depends on it. Main thread, at start.
 */
import type { Config } from "../config/mod.ts";
import { storeLock } from "../engine/store_layouts.ts";
import { errorText, type Log } from "../log.ts";
import {
  type HeldLock,
  holdLock,
  LOCK_WAIT_MS,
  type LockSubject,
} from "../persist/directory_lock.ts";
import { monotonicMs } from "../clock.ts";

/** What SQLite calls its own files begins with the name of the database as well. */
const DATABASE_LOCK_SUFFIX = ".lock";

/** The locks a server holds until it ends. */
export interface ServerLocks {
  /** Of log and snapshots; the engine gives it back. */
  readonly store: HeldLock;
  readonly database: HeldLock;
}

/** The lock that keeps a second server away from `main.db`; commands do not take it. */
export function databaseLock({ main }: Pick<Config, "main">): LockSubject {
  return {
    file: main.db + DATABASE_LOCK_SUFFIX,
    key: "main.db",
    path: main.db,
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
  const store = await hold(storeLock(directoryOf(config)));
  try {
    return { store, database: await hold(databaseLock(config)) };
  } catch (error) {
    store.release();
    throw error;
  }
}

function directoryOf({ "metric-store": store }: Config): string {
  return store.checkpoints.directory;
}

/**
 * Writes a file in each directory that is needed later and exists now. Throws an
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
    ["main.db", parentOf(main.db)],
    ["metric-store.checkpoints.directory", store.checkpoints.directory],
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

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end) || "/";
}
