import assert from "node:assert/strict";
import { MARKS_MAX } from "./stream_marks.ts";
import { commonMarks, readMarks, StreamMarks } from "./stream_marks.ts";

Deno.test("StreamMarks.covers() what was reached and nothing beyond", () => {
  const marks = new StreamMarks();
  assert.equal(marks.covers({ stream: "a", sequence: 1 }), false);
  marks.reach({ stream: "a", sequence: 7 });
  marks.reach({ stream: "a", sequence: 5 });
  assert.equal(marks.covers({ stream: "a", sequence: 7 }), true);
  assert.equal(marks.covers({ stream: "a", sequence: 8 }), false);
  assert.equal(marks.covers({ stream: "b", sequence: 1 }), false);
});

Deno.test("StreamMarks.encode() is read back by readMarks(), the higher of two marks winning", () => {
  const marks = new StreamMarks();
  assert.equal(marks.encode(), undefined);
  marks.reach({ stream: "ä/1", sequence: 2 ** 40 });
  marks.reach({ stream: "b", sequence: 2 });
  const read = new Map([["b", 3]]);
  readMarks(marks.encode()!, read);
  assert.deepEqual([...read], [["b", 3], ["ä/1", 2 ** 40]]);
});

Deno.test("StreamMarks forgets the stream that was marked longest ago when there are too many", () => {
  const marks = new StreamMarks();
  for (let i = 0; i < MARKS_MAX; i++) {
    marks.reach({ stream: `s${i}`, sequence: 1 });
  }
  marks.reach({ stream: "s0", sequence: 2 });
  marks.reach({ stream: "new", sequence: 1 });
  assert.equal(marks.covers({ stream: "s0", sequence: 2 }), true);
  assert.equal(marks.covers({ stream: "s1", sequence: 1 }), false);
  assert.equal(marks.covers({ stream: "s2", sequence: 1 }), true);
});

Deno.test("commonMarks() keeps what every shard of a layout had", () => {
  const common = commonMarks([
    new Map([["a", 10], ["b", 4]]),
    new Map([["a", 8], ["c", 9]]),
  ]);
  assert.deepEqual([...common], [["a", 8]]);
  assert.deepEqual([...commonMarks([])], []);
});
