import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { inTurns } from "./in_turns.ts";

Deno.test("inTurns() does short lists at once and lets others in between the slices of long ones", async () => {
  const seen: number[] = [];
  assert.equal(inTurns(3, (from, to) => seen.push(from, to)), undefined);
  assert.deepEqual(seen, [0, 3]);

  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  let end = 0;
  await inTurns(1_000_000, (from, to) => {
    assert.equal(from, end);
    assert.ok(to - from <= 20_000);
    end = to;
  });
  isOver = true;
  assert.equal(end, 1_000_000);
  assert.ok(turns >= 50, `${turns}`);
});

Deno.test("inTurns() rejects with what the work throws", async () => {
  const work = () => {
    throw new RangeError("no");
  };
  await assert.rejects(inTurns(100_000, work)!, RangeError);
});
