/**
 * Which program this is. A compiled one carries a file with the commit and the
 * time it was built from; from a checkout the commit is read from `.git`.
 */
import project from "../../../deno.json" with { type: "json" };

export const VERSION: string = project.version;

/** Where the compile script leaves what it knows, for the compiled program. */
export const BUILD_FILE = new URL("../../../dist/build.json", import.meta.url);
const GIT_DIRECTORY = new URL("../../../.git/", import.meta.url);

export interface BuildInfo {
  readonly gitHash: string;
  readonly buildTime: string;
}

export function buildInfo(): BuildInfo {
  if (Deno.build.standalone) {
    return JSON.parse(Deno.readTextFileSync(BUILD_FILE));
  }
  return { gitHash: readCommit() ?? "unknown", buildTime: "not built" };
}

/** The three lines of `-version`. */
export function versionText(): string {
  const { gitHash, buildTime } = buildInfo();
  return `Version:\t${VERSION}\nGit hash:\t${gitHash}\nBuild time:\t${buildTime}`;
}

/** The commit checked out; `undefined` where this is no plain checkout. */
export function readCommit(): string | undefined {
  const head = readIfThere(new URL("HEAD", GIT_DIRECTORY));
  const ref = /^ref: (\S+)$/.exec(head ?? "")?.[1];
  if (ref === undefined) return head;
  const loose = readIfThere(new URL(ref, GIT_DIRECTORY));
  if (loose !== undefined) return loose;
  const packed = readIfThere(new URL("packed-refs", GIT_DIRECTORY)) ?? "";
  return packed.split("\n").find((line) => line.endsWith(` ${ref}`))
    ?.split(" ")[0];
}

function readIfThere(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch (error) {
    const absent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (absent) return undefined;
    throw error;
  }
}
