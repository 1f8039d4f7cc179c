import assert from "node:assert/strict";
import { LoginLimiter } from "./login_limiter.ts";

Deno.test("LoginLimiter lets five attempts fail, then one every three minutes", () => {
  const clock = { now: 1000 };
  const limiter = new LoginLimiter(() => clock.now);
  for (let i = 0; i < 5; i++) {
    assert.equal(limiter.waitSec("a", "eve"), 0);
    limiter.countFailure("a", "eve");
  }
  assert.equal(limiter.waitSec("a", "eve"), 180);
  assert.equal(limiter.waitSec("b", "eve"), 0);
  assert.equal(limiter.waitSec("a", "bob"), 0);
  clock.now += 179;
  assert.equal(limiter.waitSec("a", "eve"), 1);
  clock.now += 1;
  assert.equal(limiter.waitSec("a", "eve"), 0);
  limiter.countFailure("a", "eve");
  assert.equal(limiter.waitSec("a", "eve"), 180);
  limiter.forget("a", "eve");
  assert.equal(limiter.waitSec("a", "eve"), 0);
});

Deno.test("LoginLimiter forgets the oldest names when there are too many", () => {
  const limiter = new LoginLimiter(() => 1000);
  for (let i = 0; i < 5; i++) limiter.countFailure("a", "first");
  assert.ok(limiter.waitSec("a", "first") > 0);
  for (let i = 0; i < 100_000; i++) limiter.countFailure("a", `${i}`);
  assert.equal(limiter.waitSec("a", "first"), 0);
});
