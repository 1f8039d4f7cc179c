import assert from "node:assert/strict";
import { ClientError } from "../../base/errors.ts";
import type { LogFields } from "../../base/log.ts";
import { errorAnswer } from "./error_answer.ts";

interface Record {
  readonly message: string;
  readonly fields: LogFields | undefined;
}

function answerTo(error: unknown) {
  const logged: Record[] = [];
  const denied: string[] = [];
  const answer = errorAnswer(error, {
    log: {
      info() {},
      warn() {},
      err: (message, fields) => logged.push({ message, fields }),
    },
    audit: { change() {}, refused() {} },
    metrics: { countDenied: (reason) => denied.push(reason) },
  });
  return { answer, logged, denied };
}

Deno.test("errorAnswer() logs what is our fault with its stack and tells the client nothing", () => {
  const secret = "secret detail\n    at file:///srv/src/store.ts:1:2";
  const errors: unknown[] = [
    new TypeError(secret),
    new ClientError("E_INTERNAL", secret),
    secret,
  ];
  for (const error of errors) {
    const { answer, logged } = answerTo(error);
    assert.deepEqual(answer, {
      status: 500,
      headers: { "Content-Type": "application/json" },
      body: '{"status":"Internal Server Error","error":"internal error"}\n',
    });
    const [record, ...more] = logged;
    assert.deepEqual(more, []);
    assert.equal(record?.message, "a request failed");
    assert.equal(record.fields?.["error"], secret);
    const stack = record.fields["stack"];
    assert.equal(stack, error instanceof Error ? error.stack : undefined);
  }
});

Deno.test("errorAnswer() shows a client its own mistakes and logs no error", () => {
  const { answer, logged } = answerTo(
    new ClientError("E_BAD_REQUEST", "from: expected an integer"),
  );
  assert.equal(answer.status, 400);
  assert.match(answer.body, /from: expected an integer/);
  assert.deepEqual(logged, []);
});

Deno.test("errorAnswer() counts who was refused", () => {
  const forbidden = answerTo(new ClientError("E_FORBIDDEN", "no"));
  assert.deepEqual(forbidden.denied, ["forbidden"]);
  const unknown = answerTo(new ClientError("E_UNAUTHENTICATED", "who?"));
  assert.deepEqual(unknown.denied, ["unauthenticated"]);
  assert.equal(unknown.answer.body, "who?\n");
});

Deno.test("errorAnswer() says when to try again", () => {
  const overload = answerTo(new ClientError("E_OVERLOAD", "full"));
  assert.equal(overload.answer.headers["Retry-After"], 1);
  const rate = answerTo(
    new ClientError("E_RATE", "slow", { retryAfterSec: 7 }),
  );
  assert.equal(rate.answer.headers["Retry-After"], 7);
});
