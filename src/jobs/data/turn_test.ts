import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { nextTurn } from "./turn.ts";

Deno.test("nextTurn() lets one go on in each round of the event loop, in order", async () => {
  const order: string[] = [];
  const reader = async (name: string) => {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      order.push(name);
    }
  };
  let isOver = false;
  const readers = Promise.all(["a", "b", "c"].map(reader))
    .finally(() => isOver = true);
  const perRound: number[] = [];
  while (!isOver) {
    const before = order.length;
    await setImmediate();
    perRound.push(order.length - before);
  }
  await readers;
  assert.deepEqual(order, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
  assert.ok(perRound.every((count) => count <= 1), perRound.join(" "));
});
