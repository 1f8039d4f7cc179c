/** The repository's own text files, for tests that look at the source. */
import { relative } from "node:path";
import { ROOT } from "./server.ts";

/** Made by tools or recorded from elsewhere; not ours to tidy. */
const SKIPPED = [".git", "var", "dist", "node_modules", "tests/testdata"];

export interface TextFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** All files below `directory` (from the root; `""`: everything), sorted by path. */
export function textFiles(directory: string): TextFile[] {
  return [...walk(`${ROOT}${directory}`)].sort((a, b) =>
    a.path < b.path ? -1 : 1
  );
}

function* walk(directory: string): Generator<TextFile> {
  for (const entry of Deno.readDirSync(directory)) {
    const full = `${directory.replace(/\/$/, "")}/${entry.name}`;
    const path = relative(ROOT, full);
    if (SKIPPED.includes(path)) continue;
    if (entry.isDirectory) yield* walk(full);
    else if (entry.isFile) yield { path, text: Deno.readTextFileSync(full) };
  }
}

/** Lines of a file that match, as `path:line: text`. */
export function matchingLines(file: TextFile, pattern: RegExp): string[] {
  return file.text.split("\n").flatMap((line, i) =>
    pattern.test(line) ? [`${file.path}:${i + 1}: ${line.trim()}`] : []
  );
}
