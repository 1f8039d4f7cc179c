import assert from "node:assert/strict";
import type { LogFields } from "../log.ts";
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
