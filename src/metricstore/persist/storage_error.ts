/** The error of a failed disk, for callers that write on it. */
import { ClientError } from "../../base/errors.ts";

/** Seconds after which a client may try again: a full disk is not mended at once. */
const RETRY_AFTER_SEC = 5;

/**
 * A file operation failed. The message says what could not be done and the
 * system's reason, without the path: clients read it.
 */
export class StorageError extends ClientError {
  readonly path: string;

  constructor(what: string, path: string, cause: unknown) {
    super("E_STORAGE", `${what}: ${reasonOf(cause)}`, {
      cause,
      retryAfterSec: RETRY_AFTER_SEC,
    });
    this.name = "StorageError";
    this.path = path;
  }
}

/** `No space left on device (os error 28): open '/x'` without the part with the path. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/: \w+ '.*$/s, "");
}

/** Runs `action`; a failure becomes a `StorageError`. */
export function orStorageError<T>(
  what: string,
  path: string,
  action: () => T,
): T {
  try {
    return action();
  } catch (error) {
    throw new StorageError(what, path, error);
  }
}
