/**
 * Errors of sockets that the client library has let go. It takes its listeners off a
 * socket before it destroys it; where the broker resets the connection at that moment
 * (as it does after a wrong credential) the error finds no listener, and an error
 * without a listener ends the process. Main thread.
 */
import type { Log } from "../base/log.ts";

/** Error codes of reads and writes on a connection that is gone. */
const CODES = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED"];

/** Whether an error comes from a socket and not from our code. */
export function isLostSocketError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const syscall: unknown = Reflect.get(error, "syscall");
  const code: unknown = Reflect.get(error, "code");
  return (syscall === "read" || syscall === "write") &&
    typeof code === "string" && CODES.includes(code);
}

/** Takes such errors, and only those, until `signal` is aborted. */
export function takeLostSocketErrors(
  log: Pick<Log, "debug">,
  signal: AbortSignal,
): void {
  globalThis.addEventListener("error", (event) => {
    if (!isLostSocketError(event.error)) return;
    event.preventDefault();
    log.debug("a socket that was let go failed", { reason: event.error });
  }, { signal });
}
