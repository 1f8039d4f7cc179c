import assert from "node:assert/strict";
import { TemporaryDatabase } from "./_fixture.ts";

Deno.test("SessionTable keeps sessions that were ended until they would have ended", () => {
  using temporary = new TemporaryDatabase();
  const { sessions } = temporary.open().tables;
  sessions.revoke("a", 100);
  sessions.revoke("b", 200);
  sessions.revoke("a", 100);
  assert.deepEqual(sessions.revoked(99), [["a", 100], ["b", 200]]);
  assert.deepEqual(sessions.revoked(100), [["b", 200]]);
  assert.deepEqual(sessions.revoked(0), [["b", 200]]);
});
