/** Files of keys: for their owner alone, and made only once. Main thread, at start. */

/** The trimmed text of a file; `undefined`: there is none. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** Makes the directory if need be, and closes it to others. */
export async function makeKeyDirectory(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  // `mkdir` gives its mode to new directories only.
  await Deno.chmod(directory, 0o700);
}

/**
 * Writes a file unless it is there already, and gives what is in it then: of two
 * servers that start at the same time one takes the key of the other.
 */
export async function keepKeyOnce(path: string, text: string): Promise<string> {
  const part = await writePart(path, text);
  try {
    await Deno.link(part, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(part);
  }
  return (await Deno.readTextFile(path)).trim();
}

/** Writes a file as a whole, whether or not it is there. */
export async function replaceKeyFile(
  path: string,
  text: string,
): Promise<void> {
  await Deno.rename(await writePart(path, text), path);
}

/** Writes a file of its own beside `path` and gives its name. */
async function writePart(path: string, text: string): Promise<string> {
  const part = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.writeTextFile(part, `${text}\n`, {
    createNew: true,
    mode: 0o600,
  });
  return part;
}
