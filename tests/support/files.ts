/** The repository's own text files, for tests that look at the source. */
import { relative } from "node:path";
import { ROOT } from "./server.ts";

/** Made by tools or recorded from elsewhere; not ours to tidy. */
const SKIPPED = ["var", "dist", "node_modules", "tests/testdata"];

export interface TextFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/**
 * All files of the repository below `directory` (from the root; `""`: everything),
 * sorted by path. What a user keeps in the checkout is none of ours: git says which
 * files belong to it, and in a copy without git all but hidden ones do.
 */
export function textFiles(directory: string, root = ROOT): TextFile[] {
  const paths = trackedPaths(root) ?? [...walk(root, root)];
  return paths
    .filter((path) => path.startsWith(directory) && !isSkipped(path))
    .sort()
    .flatMap((path) => readIfThere(root, path));
}

/** Paths from `root` of the files that git knows; `undefined`: it knows nothing here. */
function trackedPaths(root: string): string[] | undefined {
  let output: Deno.CommandOutput;
  try {
    output = new Deno.Command("git", {
      // Whoever runs the tests may be another user than the one who cloned.
      args: [
        "-c",
        `safe.directory=${root.replace(/\/$/, "")}`,
        "ls-files",
        "-z",
      ],
      cwd: root,
      stderr: "null",
    }).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const paths = new TextDecoder().decode(output.stdout).split("\0")
    .filter((path) => path !== "");
  // A copy inside another repository, which knows nothing of it.
  return output.success && paths.length > 0 ? paths : undefined;
}

function isSkipped(path: string): boolean {
  return SKIPPED.some((name) => path === name || path.startsWith(`${name}/`));
}

function* walk(root: string, directory: string): Generator<string> {
  for (const entry of Deno.readDirSync(directory)) {
    const full = `${directory.replace(/\/$/, "")}/${entry.name}`;
    const path = relative(root, full);
    if (entry.name.startsWith(".") || isSkipped(path)) continue;
    if (entry.isDirectory) yield* walk(root, full);
    else if (entry.isFile) yield path;
  }
}

/** None: it is deleted, but not yet for git; or a link. */
function readIfThere(root: string, path: string): TextFile[] {
  try {
    return [{ path, text: Deno.readTextFileSync(`${root}${path}`) }];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Lines of a file that match, as `path:line: text`. */
export function matchingLines(file: TextFile, pattern: RegExp): string[] {
  return file.text.split("\n").flatMap((line, i) =>
    pattern.test(line) ? [`${file.path}:${i + 1}: ${line.trim()}`] : []
  );
}
