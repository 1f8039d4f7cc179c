/**
 * One process a directory: an exclusive advisory lock (`flock`) on a file in it. The
 * system drops the lock with the process, however it ends, so a kill leaves none
 * behind. The file says who holds it, one line each: number of the process, name of
 * the machine. The file stays when the lock is given back: removing it would let two
 * processes lock two files of one name.
 */
import { monotonicMs } from "../../base/clock.ts";

/** A restart may overlap with the process before it. */
export const LOCK_WAIT_MS = 10_000;
const TRY_AGAIN_MS = 100;

/** The locked directory, in the words of the operator. */
export interface LockSubject {
  /** The lock file; its directory is made where it is missing. */
  readonly file: string;
  /** The key of the configuration that says where it is. */
  readonly key: string;
  /** The value of that key. */
  readonly path: string;
}

/** A file that can be locked; a seam for tests, `tryLock` is false where another has it. */
export interface LockFile {
  tryLock(): boolean;
  /** Whether the name still leads to this file. */
  isCurrent(): boolean;
  /** Replaces what is in the file. */
  write(text: string): void;
  close(): void;
}

export interface LockOptions {
  /** 0: one try. */
  readonly waitMs?: number;
  /** Called once when the lock has to be waited for. */
  readonly onWait?: (message: string) => void;
  readonly open?: (file: string) => LockFile;
}

/** The directory cannot be locked: another process has it, or the system refuses. */
export class LockError extends Error {
  /** Another process has it. */
  readonly isHeld: boolean;

  /** `cause` is the system's error, if the system refuses. */
  constructor(message: string, isHeld: boolean, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "LockError";
    this.isHeld = isHeld;
  }
}

/** A lock that this process holds until `release`, or until it ends. */
export class HeldLock {
  /** Why the file does not say who holds it, such as a full disk; else `undefined`. */
  readonly problem: string | undefined;
  #file: LockFile | undefined;

  constructor(file: LockFile, problem: string | undefined) {
    this.#file = file;
    this.problem = problem;
  }

  release(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Resolves when this process holds the lock. Rejects with a {@linkcode LockError}. */
export async function holdLock(
  subject: LockSubject,
  options: LockOptions = {},
): Promise<HeldLock> {
  const { waitMs = LOCK_WAIT_MS, onWait, open = openLockFile } = options;
  const deadline = monotonicMs() + waitMs;
  for (let isFirst = true;; isFirst = false) {
    const lock = tryHold(subject, open);
    if (lock !== undefined) return lock;
    const message = inUse(subject);
    if (monotonicMs() >= deadline) throw new LockError(message, true);
    if (isFirst) onWait?.(message);
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
}

/** The lock, or `undefined` where another process has it. Throws a `LockError`. */
export function tryHold(
  subject: LockSubject,
  open: (file: string) => LockFile = openLockFile,
): HeldLock | undefined {
  const { key, path } = subject;
  let file: LockFile;
  try {
    file = open(subject.file);
  } catch (error) {
    throw new LockError(
      `${key}: nothing can be written in ${path}`,
      false,
      error,
    );
  }
  try {
    if (!file.tryLock() || !file.isCurrent()) {
      file.close();
      return undefined;
    }
  } catch (error) {
    file.close();
    throw new LockError(
      `${key}: ${path} cannot be locked, so that nothing would keep a second ` +
        `process away from its files; a file system with flock is needed`,
      false,
      error,
    );
  }
  try {
    file.write(`${Deno.pid}\n${Deno.hostname()}\n`);
  } catch (error) {
    // A full disk does not keep a server from starting and answering.
    return new HeldLock(file, reasonOf(error));
  }
  return new HeldLock(file, undefined);
}

function inUse({ file, key, path }: LockSubject): string {
  return `${key}: ${path} is in use by ${holderOf(file)}; ` +
    "one process at a time may work there";
}

function holderOf(file: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    return `another process (${reasonOf(error)})`;
  }
  const [pid = "", host = ""] = text.split("\n");
  if (!/^\d+$/.test(pid)) return "another process";
  return host === "" ? `process ${pid}` : `process ${pid} on ${host}`;
}

function openLockFile(path: string): LockFile {
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = Deno.openSync(path, {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  return {
    tryLock: () => file.tryLockSync(true),
    isCurrent() {
      const own = file.statSync();
      const named = statOf(path);
      return named?.ino === own.ino && named.dev === own.dev;
    },
    write(text) {
      file.truncateSync(0);
      const bytes = new TextEncoder().encode(text);
      for (let from = 0; from < bytes.length;) {
        from += file.writeSync(bytes.subarray(from));
      }
    },
    close: () => file.close(),
  };
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
