import assert from "node:assert/strict";
import type { LogFields } from "./log.ts";
import { SeldomLog } from "./seldom_log.ts";

Deno.test("SeldomLog.warn() writes a few lines at once, then one a while with how many were left out", () => {
  const written: LogFields[] = [];
  let nowMs = 0;
  const log = new SeldomLog(
    { warn: (_, fields) => written.push(fields ?? {}) },
    () => nowMs,
  );
  for (let i = 0; i < 8; i++) log.warn("bad", { i });
  assert.deepEqual(written.map(({ i }) => i), [0, 1, 2, 3, 4]);
  nowMs = 10_000;
  log.warn("bad", { i: 8 });
  log.warn("bad", { i: 9 });
  assert.deepEqual(written.at(-1), { i: 8, leftOut: 3 });
  assert.equal(written.length, 6);
});

Deno.test("SeldomLog.warn() counts each kind for itself, and asks for no fields in vain", () => {
  const written: string[] = [];
  let asked = 0;
  const log = new SeldomLog(
    { warn: (message, fields) => written.push(`${message} ${fields?.n}`) },
    () => 0,
  );
  const fields = () => ({ n: ++asked });
  for (let i = 0; i < 100; i++) {
    log.warn("bad", fields, "a");
    log.warn("bad", fields, "b");
  }
  assert.equal(written.length, 10);
  assert.equal(asked, 10);
  for (let i = 0; i < 10_000; i++) log.warn("bad", {}, `kind ${i}`);
  // 256 kinds that are told apart, and all the others together.
  assert.equal(written.length, 10 + 254 + 5);
});
