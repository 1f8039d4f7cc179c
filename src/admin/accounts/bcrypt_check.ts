/**
 * Checks a bcrypt hash on a thread of its own: it computes for a tenth of a second,
 * and that only until the user's next login, after which the hash is scrypt. Main
 * thread.
 */
import { WorkerClient } from "../../base/worker_call.ts";
import type { BcryptCalls } from "./bcrypt_worker.ts";

/** Resolves with whether the password fits the hash. Rejects if the thread fails. */
export function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  const worker = new Worker(
    new URL("../../../workers/bcrypt.ts", import.meta.url),
    { type: "module" },
  );
  const failed = (reason: string) => new Error(`bcrypt failed: ${reason}`);
  const client = new WorkerClient<BcryptCalls>(worker, {
    callsMax: 1,
    overload: "a bcrypt thread checks one hash",
    errorOf: ({ message }) => failed(message),
    lost: failed,
  });
  return client.call("verify", { password, hash })
    .finally(() => client.end(failed("the thread was ended")));
}
