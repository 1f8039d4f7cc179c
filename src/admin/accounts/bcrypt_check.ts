/**
 * Checks a bcrypt hash on a thread of its own: it computes for a tenth of a second,
 * and that only until the user's next login, after which the hash is scrypt. Main
 * thread.
 */
import type { BcryptAnswer, BcryptQuestion } from "./bcrypt_worker.ts";

/** Rejects when the thread cannot do it. */
export function verifyBcrypt(
  password: string,
  hash: string,
): Promise<boolean> {
  const worker = new Worker(
    new URL("../../../workers/bcrypt.ts", import.meta.url),
    { type: "module" },
  );
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  worker.onmessage = ({ data }: MessageEvent<BcryptAnswer>) =>
    resolve(data.fits);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`bcrypt failed: ${event.message}`));
  };
  worker.postMessage({ password, hash } satisfies BcryptQuestion);
  return promise.finally(() => worker.terminate());
}
