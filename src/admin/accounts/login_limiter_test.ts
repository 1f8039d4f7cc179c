import assert from "node:assert/strict";
import { LoginLimiter, networkOf } from "./login_limiter.ts";

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

Deno.test("LoginLimiter lets twenty attempts of a network fail, whatever the names, then one in ten seconds", () => {
  const clock = { now: 1000 };
  const limiter = new LoginLimiter(() => clock.now);
  for (let i = 0; i < 20; i++) {
    assert.equal(limiter.waitSec("2001:db8:1:2::1", `u${i}`), 0);
    limiter.countFailure(`2001:db8:1:2::${i}`, `u${i}`);
  }
  assert.equal(limiter.waitSec("2001:db8:1:2::ff", "eve"), 10);
  assert.equal(limiter.waitSec("2001:db8:1:3::1", "eve"), 0);
  // Success is no reason to try more names.
  limiter.forget("2001:db8:1:2::1", "eve");
  assert.equal(limiter.waitSec("2001:db8:1:2::ff", "eve"), 10);
  clock.now += 10;
  assert.equal(limiter.waitSec("2001:db8:1:2::ff", "eve"), 0);
});

Deno.test("LoginLimiter forgets the oldest names when there are too many", () => {
  const limiter = new LoginLimiter(() => 1000);
  for (let i = 0; i < 5; i++) limiter.countFailure("a", "first");
  assert.ok(limiter.waitSec("a", "first") > 0);
  for (let i = 0; i < 100_000; i++) limiter.countFailure(`b${i}`, "other");
  assert.equal(limiter.waitSec("a", "first"), 0);
});

Deno.test("networkOf() is the first half of an IPv6 address, and all of another", () => {
  const cases = [
    ["10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8:1:2::1", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["1:0002::3:4", "1:2:0:0"],
    ["unknown", "unknown"],
  ];
  for (const [address, expected] of cases) {
    assert.equal(networkOf(address!), expected, address);
  }
});
