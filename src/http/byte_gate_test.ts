import assert from "node:assert/strict";
import { ClientError } from "../errors.ts";
import { ByteGate } from "./byte_gate.ts";

const LONG_MS = 60_000;

Deno.test("ByteGate.tryAcquire() grants while there is room", () => {
  const gate = new ByteGate(100, LONG_MS);
  assert.equal(gate.tryAcquire(60), true);
  assert.equal(gate.tryAcquire(41), false);
  assert.equal(gate.tryAcquire(40), true);
  assert.equal(gate.inUse, 100);
});

Deno.test("ByteGate.tryAcquire() grants more than everything to who is alone", () => {
  const gate = new ByteGate(100, LONG_MS);
  assert.equal(gate.tryAcquire(1000), true);
  assert.equal(gate.tryAcquire(1), false);
});

Deno.test("ByteGate.acquire() serves in order, and small ones do not overtake", async () => {
  const gate = new ByteGate(100, LONG_MS);
  gate.tryAcquire(100);
  const order: string[] = [];
  const large = gate.acquire(90).then(() => order.push("large"));
  const small = gate.acquire(10).then(() => order.push("small"));
  gate.release(20);
  assert.equal(gate.tryAcquire(5), false);
  gate.release(80);
  await Promise.all([large, small]);
  assert.deepEqual(order, ["large", "small"]);
  assert.equal(gate.inUse, 100);
  assert.equal(gate.waitsTotal, 2);
});

Deno.test("ByteGate.acquire() lets who holds something go first", async () => {
  const gate = new ByteGate(100, LONG_MS);
  gate.tryAcquire(100);
  const order: string[] = [];
  const later = gate.acquire(50).then(() => order.push("new"));
  const first = gate.acquire(50, true).then(() => order.push("holder"));
  gate.release(50);
  await first;
  gate.release(50);
  await later;
  assert.deepEqual(order, ["holder", "new"]);
});

Deno.test("ByteGate.acquire() rejects after the wait and lets those behind through", async () => {
  const gate = new ByteGate(100, 1);
  gate.tryAcquire(50);
  const tooMuch = gate.acquire(90);
  const behind = gate.acquire(50);
  await assert.rejects(
    tooMuch,
    (error: unknown) =>
      error instanceof ClientError && error.code === "E_OVERLOAD" &&
      error.retryAfterSec === 1,
  );
  await behind;
  assert.equal(gate.inUse, 100);
  assert.equal(gate.refusalsTotal, 1);
});

Deno.test("ByteGate.release() refuses to give back more than was taken", () => {
  const gate = new ByteGate(100, LONG_MS);
  gate.add(10);
  assert.throws(() => gate.release(11), /BUG/);
});
