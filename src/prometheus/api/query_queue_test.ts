import assert from "node:assert/strict";
import { QueryQueue } from "./query_queue.ts";

const NEVER = new AbortController().signal;

/** Work that ends when it is told to, and notes when it began. */
function works(queue: QueryQueue, order: string[]) {
  const ends = new Map<string, () => void>();
  return {
    ends,
    start: (caller: string, name: string, signal = NEVER) =>
      queue.run(caller, signal, () => {
        order.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      }),
  };
}

/** Lets everything that is due happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("QueryQueue.run() gives callers turns, whatever one of them asks", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(1, 10);
  const { start, ends } = works(queue, order);
  const all = [
    start("a", "a1"),
    start("b", "b1"),
    start("a", "a2"),
    start("a", "a3"),
    start("b", "b2"),
    start("b", "b3"),
  ];
  await settle();
  assert.deepEqual(order, ["a1", "b1"]);
  for (const name of ["a1", "b1", "a2", "b2", "a3", "b3"]) {
    ends.get(name)!();
    await settle();
  }
  await Promise.all(all);
  assert.deepEqual(order, ["a1", "b1", "a2", "b2", "a3", "b3"]);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

Deno.test("QueryQueue.run() starts who has nothing under way, whatever others do", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(2, 10);
  const { start, ends } = works(queue, order);
  const all = [
    start("a", "a1"),
    start("a", "a2"),
    start("a", "a3"),
    start("b", "b1"),
    start("c", "c1"),
    start("d", "d1"),
    start("b", "b2"),
  ];
  await settle();
  // Four at most: two, and as many of callers who have no other.
  assert.deepEqual(order, ["a1", "a2", "b1", "c1"]);
  ends.get("b1")!();
  await settle();
  assert.deepEqual(order.slice(4), ["d1"]);
  for (const name of ["a1", "a2", "c1"]) ends.get(name)!();
  await settle();
  assert.deepEqual(order.slice(5).sort(), ["a3", "b2"]);
  ends.get("d1")!();
  ends.get("a3")!();
  await settle();
  ends.get("b2")!();
  await Promise.all(all);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

Deno.test("QueryQueue.run() refuses whoever waits most when too many wait", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(1, 2);
  const { start, ends } = works(queue, order);
  const kept = [start("a", "a1"), start("b", "b1"), start("a", "a2")];
  const last = start("a", "a3");
  const refused = assert.rejects(last, { code: "E_RATE", retryAfterSec: 1 });
  await assert.rejects(start("a", "a4"), { code: "E_RATE", retryAfterSec: 1 });
  kept.push(start("b", "b2"));
  await refused;
  assert.equal(queue.waiting, 2);
  for (const name of ["a1", "b1", "a2", "b2"]) {
    await settle();
    ends.get(name)!();
  }
  await Promise.all(kept);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

Deno.test("QueryQueue.run() forgets a caller who goes away before the turn", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(1, 10);
  const { start, ends } = works(queue, order);
  const gone = new AbortController();
  const first = start("a", "a1");
  const left = start("a", "a2", gone.signal);
  const third = start("a", "a3");
  await settle();
  gone.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  await assert.rejects(start("b", "b1", gone.signal), /gone/);
  ends.get("a1")!();
  await settle();
  assert.deepEqual(order, ["a1", "a3"]);
  ends.get("a3")!();
  await Promise.all([first, third]);
});

Deno.test("QueryQueue.run() gives the turn back when the work fails", async () => {
  const queue = new QueryQueue(1, 10);
  await assert.rejects(
    queue.run("a", NEVER, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(await queue.run("a", NEVER, () => Promise.resolve(7)), 7);
});
