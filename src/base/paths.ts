/** Whether something is at a path, and where a path leads up to. */

/** Errors other than a missing file go on to the caller. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The directory of a path that has a `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
