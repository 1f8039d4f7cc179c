/** The words of `ringstore archive import|verify|init-db`. */
import { type ParsedFlags, UsageError } from "./flags.ts";

/** What is done with the archive of jobs. */
export type ArchiveLine =
  | {
    readonly command: "archive-import";
    /** Another archive. */
    readonly directory: string;
  }
  | { readonly command: "archive-verify" | "archive-init-db" };

/** Throws a {@linkcode UsageError}. */
export function readArchive({ rest }: ParsedFlags): ArchiveLine {
  const [action = "", directory = ""] = rest;
  if (action === "import" && directory !== "") {
    return { command: "archive-import", directory };
  }
  if (directory === "" && (action === "verify" || action === "init-db")) {
    return { command: `archive-${action}` };
  }
  throw new UsageError("archive needs one of: import DIR, verify, init-db");
}
