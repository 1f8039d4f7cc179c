/**
 * Finds the keys of the server, or makes them at the first start: a public key
 * that verifies tokens, and a private one where tokens are signed here. Files
 * are `jwt-private-key` and `jwt-public-key` in `./var/keys`, for their owner
 * alone. Main thread, at start.
 */
import {
  generateKeyPair,
  KeyError,
  type PrivateKey,
  type PublicKey,
  readPrivateKey,
  readPublicKey,
} from "./ed25519.ts";

export const KEY_DIRECTORY = "./var/keys";
const PRIVATE_FILE = "jwt-private-key";
const PUBLIC_FILE = "jwt-public-key";

/** Where keys may come from; texts are base64, empty or absent is none. */
export interface KeyOrigins {
  /** `main.jwt-public-key`. */
  readonly configured: string;
  /** `JWT_PUBLIC_KEY` and `JWT_PRIVATE_KEY`. */
  readonly environment: {
    readonly publicKey: string | undefined;
    readonly privateKey: string | undefined;
  };
  readonly directory: string;
}

export interface Keys {
  readonly publicKey: PublicKey;
  /** The key to sign with, or why there is none. */
  readonly privateKey: PrivateKey | KeyError;
  /** The directory in which a pair was made just now. */
  readonly madeIn: string | undefined;
}

/** What {@linkcode findKeys} needs of this process and the configuration. */
export function keyOrigins(configured: string): KeyOrigins {
  return {
    configured,
    environment: {
      publicKey: Deno.env.get("JWT_PUBLIC_KEY"),
      privateKey: Deno.env.get("JWT_PRIVATE_KEY"),
    },
    directory: KEY_DIRECTORY,
  };
}

/** The text of a key and where it was found. */
interface Found {
  readonly text: string;
  readonly where: string;
}

/**
 * Throws a {@linkcode KeyError} for a key that cannot be read, or a private key
 * from the environment that does not belong to the public one. A private key
 * left in the directory that belongs to another public key is only not used.
 */
export async function findKeys(origins: KeyOrigins): Promise<Keys> {
  const { configured, environment, directory } = origins;
  const fromEnvironment = given(environment.privateKey, "JWT_PRIVATE_KEY");
  const privateFound = fromEnvironment ??
    await readFile(`${directory}/${PRIVATE_FILE}`);
  const publicFound = given(configured, "main.jwt-public-key") ??
    given(environment.publicKey, "JWT_PUBLIC_KEY") ??
    await readFile(`${directory}/${PUBLIC_FILE}`);
  const pair = privateFound &&
    await readPrivateKey(privateFound.text, privateFound.where);
  if (publicFound === undefined) {
    const own = pair ?? await makePair(directory);
    const madeIn = pair === undefined ? directory : undefined;
    return { publicKey: own.publicKey, privateKey: own, madeIn };
  }
  const publicKey = await readPublicKey(publicFound.text, publicFound.where);
  if (pair?.publicKey.base64 === publicKey.base64) {
    return { publicKey, privateKey: pair, madeIn: undefined };
  }
  const privateKey = new KeyError(
    privateFound === undefined
      ? `there is only a public key (${publicFound.where}); set JWT_PRIVATE_KEY to sign tokens here`
      : `the private key (${privateFound.where}) does not belong to the public key (${publicFound.where})`,
  );
  if (fromEnvironment !== undefined) throw privateKey;
  return { publicKey, privateKey, madeIn: undefined };
}

function given(text: string | undefined, where: string): Found | undefined {
  return text === undefined || text === "" ? undefined : { text, where };
}

async function readFile(path: string): Promise<Found | undefined> {
  try {
    return { text: await Deno.readTextFile(path), where: path };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new KeyError(`${path} cannot be read`, { cause });
  }
}

/**
 * Makes a pair and keeps it. The private file can be made only once, so of two
 * servers that start at the same time one takes the pair of the other.
 */
async function makePair(directory: string): Promise<PrivateKey> {
  const file = `${directory}/${PRIVATE_FILE}`;
  try {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    // `mkdir` gives its mode to new directories only.
    await Deno.chmod(directory, 0o700);
    const made = await generateKeyPair();
    const part = await writePart(file, made.base64);
    try {
      await Deno.link(part, file);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      await Deno.remove(part);
    }
    const pair = await readPrivateKey(await Deno.readTextFile(file), file);
    const publicFile = `${directory}/${PUBLIC_FILE}`;
    await Deno.rename(
      await writePart(publicFile, pair.publicKey.base64),
      publicFile,
    );
    return pair;
  } catch (cause) {
    throw new KeyError(`cannot keep a new key pair in ${directory}`, { cause });
  }
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
