/** A fault of a job archive, in words for its readers. */
import { ClientError } from "../../base/errors.ts";

/**
 * A file of the archive cannot be read or says what it must not. The message is
 * for clients; the path is for the log.
 */
export class JobArchiveError extends ClientError {
  readonly path: string;

  constructor(message: string, path: string, cause?: unknown) {
    super("E_INTERNAL", message, cause === undefined ? {} : { cause });
    this.name = "JobArchiveError";
    this.path = path;
  }
}

/** Where the reason for `error` is, if it names a file. */
export function pathOf(error: unknown): string {
  return error instanceof Error && "path" in error ? String(error.path) : "";
}
