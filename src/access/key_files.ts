/** Files of keys: for their owner alone, and made only once. Main thread, at start. */

/** The trimmed text of a file; `undefined`: there is none. Throws what the system says. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

const WRITABLE_BY_OTHERS = 0o022;

/** Who but its owner may read a file of a key. */
export type KeyReaders = "nobody" | "group" | "everybody";

const READABLE: Readonly<Record<KeyReaders, number>> = {
  nobody: 0o044,
  group: 0o004,
  everybody: 0,
};

/**
 * What is wrong with the rights of a file that holds a key: `refuse` where somebody
 * else could put another one there, `warn` where somebody can read it who is not among
 * `readers`. `undefined`: nothing, or there is no file.
 */
export function keyFileFault(
  path: string,
  readers: KeyReaders = "nobody",
):
  | { readonly verdict: "refuse" | "warn"; readonly message: string }
  | undefined {
  const mode = modeOf(path);
  const shown = `mode ${(mode & 0o777).toString(8).padStart(4, "0")}`;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    return {
      verdict: "refuse",
      message:
        `${path}: others than its owner may change this key (${shown}); ` +
        `chmod go-w ${path}`,
    };
  }
  if ((mode & READABLE[readers]) === 0) return undefined;
  return {
    verdict: "warn",
    message: `${path}: others than its owner may read this key (${shown}); ` +
      `chmod ${readers === "group" ? "o-r" : "go-r"} ${path}`,
  };
}

/** 0: there is no such file, or the system has no rights of this kind. */
function modeOf(path: string): number {
  try {
    return Deno.statSync(path).mode ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
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
