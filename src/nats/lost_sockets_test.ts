import assert from "node:assert/strict";
import { isLostSocketError, takeLostSocketErrors } from "./lost_sockets.ts";

function socketError(fields: Readonly<Record<string, string>>): Error {
  return Object.assign(new Error("read ECONNRESET"), fields);
}

const RESET = { code: "ECONNRESET", syscall: "read" };

Deno.test("isLostSocketError() knows errors of connections that are gone from all others", () => {
  assert.equal(isLostSocketError(socketError(RESET)), true);
  assert.equal(
    isLostSocketError(socketError({ code: "EPIPE", syscall: "write" })),
    true,
  );
  assert.equal(isLostSocketError(socketError({ code: "ECONNRESET" })), false);
  assert.equal(
    isLostSocketError(socketError({ code: "EADDRINUSE", syscall: "listen" })),
    false,
  );
  assert.equal(isLostSocketError(new TypeError("a bug")), false);
  assert.equal(isLostSocketError(undefined), false);
});

Deno.test("takeLostSocketErrors() takes these errors until it is told to stop", () => {
  const stop = new AbortController();
  const notes: string[] = [];
  takeLostSocketErrors(
    { debug: (message) => notes.push(message) },
    stop.signal,
  );
  const isTaken = (error: Error) =>
    !globalThis.dispatchEvent(
      new ErrorEvent("error", { error, cancelable: true }),
    );
  assert.equal(isTaken(socketError(RESET)), true);
  assert.equal(notes.length, 1);
  assert.equal(isTaken(new TypeError("a bug")), false);
  stop.abort();
  assert.equal(isTaken(socketError(RESET)), false);
});
