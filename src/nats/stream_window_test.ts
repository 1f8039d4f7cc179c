import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";
import { type Delivery, StreamWindow } from "./stream_window.ts";

function delivery(deliverySequence: number, streamSequence: number): Delivery {
  return { deliverySequence, streamSequence };
}

function whole(deliveredThrough = 0): StreamWindow<Delivery> {
  const window = new StreamWindow<Delivery>();
  window.doubt(deliveredThrough);
  window.confirm(0, 0);
  return window;
}

const all = (candidates: readonly Delivery[]) => candidates.length;
const sequences = (batch: readonly Delivery[]) =>
  batch.map(({ streamSequence }) => streamSequence);

Deno.test("StreamWindow.next() hands out what is whole, in stream order", () => {
  const window = whole();
  window.take(delivery(1, 3));
  window.take(delivery(2, 7));
  const batch = window.next(all);
  assert.deepEqual(sequences(batch), [3, 7]);
  assert.deepEqual(window.next(all), []);
  window.settle(batch);
  assert.equal(window.size, 0);
  assert.equal(window.take(delivery(3, 7)), "applied");
});

Deno.test("StreamWindow.take() holds everything back behind a delivery that is missing", () => {
  const window = whole();
  window.take(delivery(1, 1));
  window.take(delivery(3, 3));
  assert.equal(window.isWhole, false);
  assert.deepEqual(window.next(all), []);
  // Three are outstanding at the broker, two are here.
  assert.equal(window.confirm(3, 3), 1);
  assert.equal(window.take(delivery(4, 2)), "new");
  // What the broker said before that delivery does not count.
  assert.equal(window.confirm(3, 3), 0);
  assert.equal(window.isWhole, false);
  assert.equal(window.confirm(3, 4), 0);
  assert.deepEqual(sequences(window.next(all)), [1, 2, 3]);
});

Deno.test("StreamWindow.next() gives messages that an earlier process had one by one", () => {
  const window = new StreamWindow<Delivery>();
  window.doubt(2);
  window.take(delivery(10, 2));
  window.take(delivery(11, 1));
  window.take(delivery(12, 3));
  window.take(delivery(13, 4));
  window.confirm(4, 13);
  assert.deepEqual(sequences(window.next(all)), [1]);
  assert.deepEqual(sequences(window.next(all)), [2]);
  assert.deepEqual(sequences(window.next(all)), [3, 4]);
});

Deno.test("StreamWindow.take() tells what is held already from what is new", () => {
  const window = whole();
  window.take(delivery(1, 1));
  assert.equal(window.take(delivery(2, 1)), "known");
  assert.equal(window.size, 1);
  assert.deepEqual(sequences(window.letGo()), [1]);
  assert.equal(window.size, 0);
  assert.equal(window.isWhole, false);
});

Deno.test("StreamWindow applies every message once and in order, whatever deliveries get lost", () => {
  const losses = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(losses, fc.integer({ min: 1, max: 5 }), (lost, size) => {
      const window = whole();
      const outstanding = new Set<number>();
      const applied: number[] = [];
      let deliverySequence = 0;
      const store = () => {
        for (;;) {
          const batch = window.next((some) => Math.min(size, some.length));
          if (batch.length === 0) return;
          window.settle(batch);
          applied.push(...sequences(batch));
          for (const one of sequences(batch)) outstanding.delete(one);
        }
      };
      const deliver = (sequence: number, isLost: boolean) => {
        deliverySequence++;
        outstanding.add(sequence);
        if (isLost) return;
        const taken = window.take(delivery(deliverySequence, sequence));
        if (taken === "applied") outstanding.delete(sequence);
        store();
      };
      lost.forEach((isLost, i) => deliver(i + 1, isLost));
      // The broker delivers again what is outstanding, the newest first for spite.
      for (const sequence of [...outstanding].sort((a, b) => b - a)) {
        deliver(sequence, false);
      }
      assert.equal(window.confirm(outstanding.size, deliverySequence), 0);
      store();
      assert.deepEqual(applied, lost.map((_, i) => i + 1));
    }),
    { numRuns: fuzzRuns(200) },
  );
});
