/**
 * The ring in three layers: frames of seeded sizes many times around it, with
 * canaries beside every copy; its edges (positions at 2^32, a full ring, empty and
 * largest frames, the readable bytes behind a frame); and a real thread.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { createRing, RingConsumer, RingProducer } from "./ring.ts";

const CAPACITY = 4096;
const LARGEST = CAPACITY / 4;
const HEAD_BYTE = 0;
const TAIL_BYTE = 64;
/** Layout of the control area: see the table in ring.ts. */
const DATA_AT = 128;
const SLACK_BYTES = 64;
const CANARY = 0xa5;

/** A ring whose positions start at `position` (a multiple of 16) instead of 0. */
function ringAt(position: number): SharedArrayBuffer {
  const memory = createRing(CAPACITY);
  const view = new DataView(memory);
  view.setUint32(HEAD_BYTE, position, true);
  view.setUint32(TAIL_BYTE, position, true);
  return memory;
}

/** A payload that tells its number and length in every byte. */
function payloadOf(number: number, length: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, i) => (number * 31 + length * 7 + i) & 0xff,
  );
}

/** Takes the oldest frame and checks everything about it. */
function assertTaken(
  consumer: RingConsumer,
  number: number,
  length: number,
): void {
  assert.ok(consumer.next(), `frame ${number} is there`);
  assert.deepEqual(
    [consumer.kind, consumer.id, consumer.aux],
    [number & 0xff, number, number ^ 0x5555],
  );
  assert.equal(consumer.end - consumer.start, length);
  assert.deepEqual(
    consumer.payload(),
    new Uint8Array(payloadOf(number, length)),
  );
  consumer.release();
}

function sent(producer: RingProducer, number: number, length: number): boolean {
  return producer.send(
    number & 0xff,
    number,
    number ^ 0x5555,
    payloadOf(number, length),
  );
}

const SIZES = fc.array(fc.integer({ min: 0, max: LARGEST }), {
  minLength: 1,
  maxLength: 400,
});
/** Where positions begin: at 0, and so that they pass 2^32 on the way. */
const POSITIONS = fc.constantFrom(
  0,
  2 ** 32 - 16,
  2 ** 32 - 4096,
  2 ** 31 - 16,
);

Deno.test("RingProducer and RingConsumer carry frames of any size around the ring, in order", () => {
  fc.assert(
    fc.property(SIZES, POSITIONS, fc.nat(), (sizes, position, seed) => {
      const memory = ringAt(position);
      const producer = new RingProducer(memory);
      const consumer = new RingConsumer(memory);
      let taken = 0;
      for (const [number, size] of sizes.entries()) {
        while (!sent(producer, number, size)) {
          assert.ok(taken < number, "a frame fits an empty ring");
          assertTaken(consumer, taken, sizes[taken]!);
          taken++;
        }
        // The consumer is sometimes close behind and sometimes a full ring away.
        if ((seed >> (number % 31)) & 1) {
          assertTaken(consumer, taken, sizes[taken]!);
          taken++;
        }
      }
      for (; taken < sizes.length; taken++) {
        assertTaken(consumer, taken, sizes[taken]!);
      }
      assert.equal(consumer.next(), false);
      assert.equal(producer.pending, 0);
    }),
    { numRuns: fuzzRuns(60) },
  );
});

Deno.test("RingProducer.reserve() gives room that touches no frame that is not released", () => {
  fc.assert(
    fc.property(SIZES, POSITIONS, (sizes, position) => {
      const memory = ringAt(position);
      const producer = new RingProducer(memory);
      const consumer = new RingConsumer(memory);
      const waiting: { number: number; size: number }[] = [];
      for (const [number, size] of sizes.entries()) {
        let at = producer.reserve(size);
        while (at < 0) {
          const oldest = waiting.shift()!;
          assertTaken(consumer, oldest.number, oldest.size);
          at = producer.reserve(size);
        }
        // Canaries on both sides of the copy: the header's bytes are the ring's own.
        const before = producer.bytes[at - 1];
        producer.bytes.fill(CANARY, at, at + size);
        producer.bytes.set(payloadOf(number, size), at);
        assert.equal(producer.bytes[at - 1], before);
        producer.commit(number & 0xff, number, number ^ 0x5555, size);
        waiting.push({ number, size });
      }
      for (const { number, size } of waiting) {
        assertTaken(consumer, number, size);
      }
    }),
    { numRuns: fuzzRuns(60) },
  );
});

Deno.test("a frame is committed with fewer bytes than were reserved", () => {
  const memory = createRing(CAPACITY);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  const at = producer.reserve(LARGEST);
  producer.bytes.set([1, 2, 3], at);
  producer.commit(7, 8, 9, 3);
  assert.ok(consumer.next());
  assert.deepEqual([...consumer.payload()], [1, 2, 3]);
  consumer.release();
  assert.equal(producer.pending, 0);
});

Deno.test("a full ring refuses, and release() says once that the producer waits", () => {
  const memory = createRing(CAPACITY);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  let frames = 0;
  while (sent(producer, frames, LARGEST)) frames++;
  assert.equal(frames, 3, "three largest frames and their headers fit");
  assert.equal(producer.reserve(LARGEST), -1);
  assert.ok(consumer.next());
  assert.equal(consumer.release(), true);
  assert.ok(consumer.next());
  assert.equal(consumer.release(), false);
  assert.ok(sent(producer, frames, LARGEST));
});

Deno.test("empty and largest frames pass; a larger one is a fault of the caller", () => {
  const memory = createRing(CAPACITY);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  for (let round = 0; round < 100; round++) {
    for (const size of [0, LARGEST]) {
      assert.ok(sent(producer, round, size));
      assertTaken(consumer, round, size);
    }
  }
  assert.throws(() => producer.reserve(LARGEST + 1), /exceeds/);
  assert.throws(() => producer.commit(0, 0, 0, 0), /without a reservation/);
});

Deno.test("the bytes behind a frame can be read to the slack, which stays zero", () => {
  const memory = createRing(CAPACITY);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  const slack = new Uint8Array(memory, DATA_AT + CAPACITY, SLACK_BYTES);
  for (let round = 0; round < 50; round++) {
    assert.ok(sent(producer, round, LARGEST - 16));
    assert.ok(consumer.next());
    assert.ok(consumer.end + SLACK_BYTES <= consumer.bytes.length);
    consumer.view.getInt32(consumer.end + SLACK_BYTES - 4, true);
    consumer.release();
  }
  assert.deepEqual([...slack], new Array(SLACK_BYTES).fill(0));
});

Deno.test("createRing() takes powers of two from 4 KiB on, an end takes a ring only", () => {
  for (const capacity of [0, 2048, 5000, -4096, 4096.5, NaN]) {
    assert.throws(() => createRing(capacity), /power of two/);
  }
  const strange = new SharedArrayBuffer(5000);
  assert.throws(() => new RingProducer(strange), /not a ring/);
  assert.throws(() => new RingConsumer(strange), /not a ring/);
});

/** Echoes every frame from one ring into another, and ends with an empty frame. */
const ECHO = (ringUrl: string, bellUrl: string) => `
  import { RingConsumer, RingProducer } from ${JSON.stringify(ringUrl)};
  import { Bell } from ${JSON.stringify(bellUrl)};
  self.onmessage = ({ data }) => {
    const inbox = new RingConsumer(data.there);
    const outbox = new RingProducer(data.back);
    const own = new Bell(data.ownBell);
    const other = new Bell(data.otherBell);
    for (;;) {
      let seen = own.count();
      if (!inbox.next()) {
        own.wait(seen, 1000);
        continue;
      }
      const { kind, id, aux } = inbox;
      const payload = inbox.payload();
      if (inbox.release()) other.ring();
      while (!outbox.send(kind, id, aux, payload)) {
        seen = own.count();
        if (outbox.send(kind, id, aux, payload)) break;
        own.wait(seen, 1000);
      }
      other.ring();
      if (payload.length === 0) break;
    }
    self.close();
  };
`;

Deno.test("frames go to a real thread and back, through full rings and past 2^32", async () => {
  const { Bell, createBell } = await import("./bell.ts");
  const source = ECHO(
    new URL("./ring.ts", import.meta.url).href,
    new URL("./bell.ts", import.meta.url).href,
  );
  const there = ringAt(2 ** 32 - 8192);
  const back = ringAt(2 ** 32 - 4096);
  const bells = [createBell(), createBell()] as const;
  const worker = new Worker(
    `data:application/typescript,${encodeURIComponent(source)}`,
    { type: "module" },
  );
  try {
    worker.postMessage({
      there,
      back,
      ownBell: bells[1],
      otherBell: bells[0],
    });
    const producer = new RingProducer(there);
    const consumer = new RingConsumer(back);
    const own = new Bell(bells[0]);
    const other = new Bell(bells[1]);
    const frames = 4_000;
    const lengthOf = (number: number) =>
      number === frames - 1 ? 0 : 1 + (number * 7919) % LARGEST;
    let wrote = 0;
    let read = 0;
    while (read < frames) {
      const seen = own.count();
      let moved = false;
      while (wrote < frames && sent(producer, wrote, lengthOf(wrote))) {
        wrote++;
        other.ring();
        moved = true;
      }
      while (consumer.next()) {
        assert.equal(consumer.id, read);
        assert.deepEqual(
          consumer.payload(),
          new Uint8Array(payloadOf(read, lengthOf(read))),
        );
        if (consumer.release()) other.ring();
        read++;
        moved = true;
      }
      if (!moved) await own.waitAsync(seen);
    }
    assert.equal(wrote, frames);
  } finally {
    worker.terminate();
  }
});
