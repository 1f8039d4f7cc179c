/**
 * Password hashes: scrypt for our own, written in the PHC form
 * `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`; bcrypt of imported tables is still
 * verified. Main thread; the work is done on others, a bounded number at a time,
 * since each needs 32 MiB.
 */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ClientError } from "../../base/errors.ts";
import { verifyBcrypt } from "./bcrypt_check.ts";

/** N = 2^15, r = 8, p = 3: one of OWASP's equally strong choices, for little memory. */
const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 3;
const PREFIX = `$scrypt$ln=${LOG_N},r=${BLOCK_SIZE},p=${PARALLEL}$`;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MEMORY_BYTES = 64 << 20;
const LOG_N_MAX = 17;

const CONCURRENT_MAX = 2;
const WAITING_MAX = 32;
/** Longer ones would be work for us and no safer for anybody. */
export const PASSWORD_BYTES_MAX = 1024;

const PHC =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Shorter ones are guessed; NIST SP 800-63B asks for as many. */
export const PASSWORD_CHARS_MIN = 8;

/** What to warn of; `undefined`: nothing. No password at all is no weak one. */
export function passwordWeakness(password: string): string | undefined {
  const chars = [...password].length;
  return chars === 0 || chars >= PASSWORD_CHARS_MIN
    ? undefined
    : `the password has ${chars} characters: use ${PASSWORD_CHARS_MIN} or more`;
}

/** Throws `E_OVERLOAD` where too many wait already. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await inTurn(() =>
    derive(password, salt, HASH_BYTES, LOG_N, BLOCK_SIZE, PARALLEL)
  );
  return `${PREFIX}${bare(salt)}$${bare(hash)}`;
}

/** Whether a hash is of the form that new ones have; others are made anew at a login. */
export function isCurrentHash(stored: string): boolean {
  return stored.startsWith(PREFIX);
}

/**
 * Whether a password belongs to a hash; an unknown form of hash fits none. Throws
 * `E_OVERLOAD` where too many wait already.
 */
export function verifyPassword(
  password: string,
  stored: string,
): Promise<boolean> {
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    return Promise.resolve(false);
  }
  if (/^\$2[aby]\$/.test(stored)) {
    return inTurn(() => verifyBcrypt(password, stored));
  }
  const parts = PHC.exec(stored);
  if (parts === null || Number(parts[1]) > LOG_N_MAX) {
    return Promise.resolve(false);
  }
  const [, logN, r, p, salt = "", hash = ""] = parts;
  const expected = Buffer.from(hash, "base64");
  // A shorter one would fit more passwords.
  if (expected.length !== HASH_BYTES) return Promise.resolve(false);
  return inTurn(async () => {
    const found = await derive(
      password,
      Buffer.from(salt, "base64"),
      expected.length,
      Number(logN),
      Number(r),
      Number(p),
    );
    return timingSafeEqual(found, expected);
  });
}

/** Takes as long as a check of a user who is there. */
export async function verifyNothing(password: string): Promise<void> {
  await verifyPassword(password, NOBODYS_HASH);
}

const NOBODYS_HASH = `${PREFIX}${bare(Buffer.alloc(SALT_BYTES))}$${
  bare(Buffer.alloc(HASH_BYTES))
}`;

function derive(
  password: string,
  salt: Uint8Array,
  bytes: number,
  logN: number,
  r: number,
  p: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(
      password,
      salt,
      bytes,
      { N: 2 ** logN, r, p, maxmem: 2 * MEMORY_BYTES },
      (error, key) => error === null ? resolve(key) : reject(error),
    )
  );
}

/** PHC writes base64 without padding. */
function bare(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= CONCURRENT_MAX) {
    if (waiting.length >= WAITING_MAX) {
      throw new ClientError(
        "E_OVERLOAD",
        "too many passwords are being checked",
      );
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
