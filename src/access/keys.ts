/**
 * Finds the keys of the server, or makes them at the first start: a public key
 * that verifies tokens, a private one where tokens are signed here, and one for
 * session cookies. Files are `jwt-private-key`, `jwt-public-key` and `session-key`
 * in `./var/keys`, for their owner alone. Main thread, at start.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  generateKeyPair,
  KeyError,
  type PrivateKey,
  type PublicKey,
  readPrivateKey,
  readPublicKey,
} from "./ed25519.ts";
import {
  keepKeyOnce,
  keyFileFault,
  makeKeyDirectory,
  readKeyFile,
  replaceKeyFile,
} from "./key_files.ts";

export const KEY_DIRECTORY = "./var/keys";
const PRIVATE_FILE = "jwt-private-key";
const PUBLIC_FILE = "jwt-public-key";
const SESSION_FILE = "session-key";
const SESSION_KEY_BYTES = 64;
export const SESSION_KEY_BYTES_MIN = 16;
/** Shorter ones are taken, as those of existing installations are, with a warning. */
export const SESSION_KEY_BYTES_ENOUGH = 32;

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

/** Files of secrets that others than their owner can read, each with the cure. */
export function readableKeys(directory: string = KEY_DIRECTORY): string[] {
  return [PRIVATE_FILE, SESSION_FILE].flatMap((name) =>
    keyFileFault(`${directory}/${name}`)?.message ?? []
  );
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
  const fault = keyFileFault(path, "everybody");
  if (fault !== undefined) throw new KeyError(fault.message);
  try {
    const text = await readKeyFile(path);
    return text === undefined ? undefined : { text, where: path };
  } catch (cause) {
    throw new KeyError(`${path} cannot be read`, { cause });
  }
}

/** Makes a pair and keeps it, or takes the one that was made meanwhile. */
async function makePair(directory: string): Promise<PrivateKey> {
  const file = `${directory}/${PRIVATE_FILE}`;
  try {
    await makeKeyDirectory(directory);
    const made = await generateKeyPair();
    const pair = await readPrivateKey(
      await keepKeyOnce(file, made.base64),
      file,
    );
    await replaceKeyFile(
      `${directory}/${PUBLIC_FILE}`,
      pair.publicKey.base64,
    );
    return pair;
  } catch (cause) {
    throw new KeyError(`cannot keep a new key pair in ${directory}`, { cause });
  }
}

/**
 * The key that signs session cookies: from the environment (`SESSION_KEY`, base64),
 * else from its file, which is made at the first start. Throws a
 * {@linkcode KeyError} for one too short to be safe.
 */
export async function findSessionKey(
  fromEnvironment: string | undefined = Deno.env.get("SESSION_KEY"),
  directory: string = KEY_DIRECTORY,
): Promise<Uint8Array> {
  const file = `${directory}/${SESSION_FILE}`;
  const found = given(fromEnvironment, "SESSION_KEY") ?? await readFile(file) ??
    await makeSessionKey(directory, file);
  const key = Buffer.from(found.text, "base64");
  if (key.length >= SESSION_KEY_BYTES_MIN) return key;
  throw new KeyError(
    `${found.where} is no session key: base64 of at least ${SESSION_KEY_BYTES_MIN} bytes expected`,
  );
}

async function makeSessionKey(directory: string, file: string): Promise<Found> {
  try {
    await makeKeyDirectory(directory);
    const made = randomBytes(SESSION_KEY_BYTES).toString("base64");
    return { text: await keepKeyOnce(file, made), where: file };
  } catch (cause) {
    throw new KeyError(`cannot keep a new session key in ${directory}`, {
      cause,
    });
  }
}
