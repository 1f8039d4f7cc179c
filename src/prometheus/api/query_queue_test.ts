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
    start("a", "a2"),
    start("a", "a3"),
    start("b", "b1"),
    start("c", "c1"),
  ];
  for (const name of ["a1", "a2", "b1", "c1", "a3"]) {
    await settle();
    assert.equal(order.at(-1), name);
    assert.equal(queue.running, 1);
    ends.get(name)!();
  }
  await Promise.all(all);
  assert.deepEqual(order, ["a1", "a2", "b1", "c1", "a3"]);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

Deno.test("QueryQueue.run() refuses when too many wait, and goes on afterwards", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(1, 1);
  const { start, ends } = works(queue, order);
  const first = start("a", "a1");
  const second = start("b", "b1");
  await assert.rejects(start("c", "c1"), {
    code: "E_RATE",
    retryAfterSec: 1,
  });
  await settle();
  ends.get("a1")!();
  await settle();
  ends.get("b1")!();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["a1", "b1"]);
});

Deno.test("QueryQueue.run() forgets a caller who goes away before the turn", async () => {
  const order: string[] = [];
  const queue = new QueryQueue(1, 10);
  const { start, ends } = works(queue, order);
  const gone = new AbortController();
  const first = start("a", "a1");
  const left = start("b", "b1", gone.signal);
  const third = start("c", "c1");
  await settle();
  gone.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  ends.get("a1")!();
  await settle();
  assert.deepEqual(order, ["a1", "c1"]);
  ends.get("c1")!();
  await Promise.all([first, third]);
});
