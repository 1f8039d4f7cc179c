import assert from "node:assert/strict";
import { ClientError } from "./errors.ts";
import { IngestRates } from "./ingest_rates.ts";

Deno.test("IngestRates.admit() refuses an instance in debt, and says when to come again", () => {
  const clock = { ms: 0 };
  const rates = new IngestRates(() => clock.ms);
  rates.admit("a", 100);
  rates.charge("a", 100, 350);
  assert.throws(() => rates.admit("a", 100), (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, 429);
    assert.equal(error.retryAfterSec, 3);
    assert.match(error.message, /instance a .* 100 samples per second/);
    return true;
  });
  rates.admit("b", 100);
  clock.ms = 2500;
  assert.throws(() => rates.admit("a", 100), /ingestion_rate/);
  clock.ms = 2501;
  rates.admit("a", 100);
});

Deno.test("IngestRates.admit() keeps to the rate over a long time, whatever the batches are", () => {
  const clock = { ms: 0 };
  const rates = new IngestRates(() => clock.ms);
  let stored = 0;
  for (clock.ms = 0; clock.ms < 100_000; clock.ms += 7) {
    try {
      rates.admit("a", 1000);
    } catch {
      continue;
    }
    rates.charge("a", 1000, 737);
    stored += 737;
  }
  assert.ok(stored <= 100_000 + 1000 + 737, `${stored}`);
  assert.ok(stored >= 99_000, `${stored}`);
});

Deno.test("IngestRates.admit() never refuses where there is no limit", () => {
  const rates = new IngestRates(() => 0);
  rates.charge("a", 0, 1e12);
  rates.admit("a", 0);
});

Deno.test("IngestRates.room() ends where an instance owes a minute of its rate", () => {
  const clock = { ms: 0 };
  const rates = new IngestRates(() => clock.ms);
  const account = rates.of({ name: "a", ingestionRate: 10 })!;
  assert.equal(account.room, 610);
  account.charge(600);
  assert.equal(account.room, 10);
  account.charge(50);
  assert.equal(account.room, 0);
  clock.ms = 5000;
  assert.equal(account.room, 10);
  assert.throws(() => account.admit(), /instance a is over its ingestion_rate/);
  assert.equal(rates.of({ name: "b", ingestionRate: 0 }), undefined);
});
