/** The words of `ringstore archive`. */
import { type ParsedFlags, UsageError } from "./flags.ts";

/** What is done with the archive of jobs. */
export type ArchiveLine =
  | {
    readonly command: "archive-import";
    /** Another archive. */
    readonly directory: string;
  }
  | {
    readonly command: "archive-verify";
    /** Another archive; `undefined`: that of the configuration. */
    readonly directory: string | undefined;
  }
  | {
    readonly command: "archive-init-db" | "archive-status" | "archive-retry";
  };

/** What follows `archive`, with what it does; `words` are those of the command line. */
export const ARCHIVE_ACTIONS = [
  { words: "import DIR", help: "take in the jobs of another archive" },
  {
    words: "verify [DIR]",
    help: "read every job and say what is wrong (DIR: another archive)",
  },
  {
    words: "init-db",
    help: "make rows of all jobs the database does not know",
  },
  { words: "status", help: "what waits to be archived, and why" },
  {
    words: "retry",
    help:
      "archive now what failed, and what was given up if its samples are there",
  },
] as const;

/** Throws a {@linkcode UsageError}. */
export function readArchive({ rest }: ParsedFlags): ArchiveLine {
  const [action = "", directory = ""] = rest;
  switch (action) {
    case "import":
      if (directory === "") {
        throw new UsageError(
          "archive import needs the directory of an archive",
        );
      }
      return { command: "archive-import", directory };
    case "verify":
      return { command: "archive-verify", directory: directory || undefined };
    case "init-db":
    case "status":
    case "retry":
      if (directory !== "") {
        throw new UsageError(
          `archive ${action} takes no directory, got ${directory}`,
        );
      }
      return { command: `archive-${action}` };
    default:
      throw new UsageError(
        `archive needs one of: ${
          ARCHIVE_ACTIONS.map(({ words }) => words).join(", ")
        }`,
      );
  }
}
