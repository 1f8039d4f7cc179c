import assert from "node:assert/strict";
import {
  ProgressByStream,
  type ShardSlot,
} from "../transport/stream_progress.ts";
import {
  FACTS_MAX,
  FACTS_SECTION,
  MARKS_MAX,
  MARKS_SECTION,
  readFacts,
  readMarks,
  StreamMarks,
} from "./stream_marks.ts";

const ALL: ShardSlot = { shard: 0, shards: 1 };

/** What a snapshot remembers of the marks, read as that of `share`. */
function saved(marks: StreamMarks, share: ShardSlot): ProgressByStream {
  const known = new ProgressByStream();
  for (const [kind, payload] of marks.sections()) {
    if (kind === MARKS_SECTION) readMarks(payload, share, known);
    else {
      assert.equal(kind, FACTS_SECTION);
      readFacts(payload, known);
    }
  }
  return known;
}

Deno.test("StreamMarks.covers() what was reached and nothing beyond", () => {
  const marks = new StreamMarks(ALL);
  assert.equal(marks.covers({ stream: "a", sequence: 1 }), false);
  marks.reach({ stream: "a", sequence: 7 });
  marks.reach({ stream: "a", sequence: 5 });
  assert.equal(marks.covers({ stream: "a", sequence: 7 }), true);
  assert.equal(marks.covers({ stream: "a", sequence: 8 }), false);
  assert.equal(marks.covers({ stream: "b", sequence: 1 }), false);
});

Deno.test("StreamMarks.sections() hold marks and facts as they are read back, and nothing without any", () => {
  const share = { shard: 1, shards: 2 };
  const marks = new StreamMarks(share);
  assert.deepEqual([...marks.sections()], []);
  marks.reach({ stream: "ä/1", sequence: 2 ** 40 });
  assert.deepEqual([...marks.sections()].map(([kind]) => kind), [
    MARKS_SECTION,
  ]);
  const known = new ProgressByStream();
  known.add("b", { shard: 2, shards: 3, sequence: 2 ** 41 });
  known.add("b", { shard: 0, shards: 3, sequence: 5 });
  marks.restore(known);
  assert.deepEqual([...saved(marks, share).streams()], [
    ["ä/1", [{ ...share, sequence: 2 ** 40 }]],
    ["b", [
      { shard: 2, shards: 3, sequence: 2 ** 41 },
      { shard: 0, shards: 3, sequence: 5 },
    ]],
  ]);
});

Deno.test("StreamMarks forgets the stream that was marked longest ago when there are too many", () => {
  const marks = new StreamMarks(ALL);
  for (let i = 0; i < MARKS_MAX; i++) {
    marks.reach({ stream: `s${i}`, sequence: 1 });
  }
  marks.reach({ stream: "s0", sequence: 2 });
  marks.reach({ stream: "new", sequence: 1 });
  assert.equal(marks.covers({ stream: "s0", sequence: 2 }), true);
  assert.equal(marks.covers({ stream: "s1", sequence: 1 }), false);
  assert.equal(marks.covers({ stream: "s2", sequence: 1 }), true);
});

Deno.test("StreamMarks.restore() takes for its mark what all shards of another layout had", () => {
  const marks = new StreamMarks({ shard: 1, shards: 2 });
  const known = new ProgressByStream();
  known.add("all", { shard: 0, shards: 3, sequence: 10 });
  known.add("all", { shard: 1, shards: 3, sequence: 8 });
  known.add("all", { shard: 2, shards: 3, sequence: 9 });
  // One that never saw a line of it has no mark.
  known.add("some", { shard: 0, shards: 3, sequence: 10 });
  known.add("some", { shard: 1, shards: 3, sequence: 8 });
  // A host of shard 1 of 2 can only have been in shards 1 and 3 of 4.
  known.add("half", { shard: 1, shards: 4, sequence: 3 });
  known.add("half", { shard: 3, shards: 4, sequence: 5 });
  marks.restore(known);
  const reached = (stream: string, sequence: number) =>
    marks.covers({ stream, sequence });
  assert.deepEqual([reached("all", 8), reached("all", 9)], [true, false]);
  assert.equal(reached("some", 1), false);
  assert.deepEqual([reached("half", 3), reached("half", 4)], [true, false]);
});

Deno.test("StreamMarks.restore() keeps the highest facts of a stream with too many", () => {
  const known = new ProgressByStream();
  for (let shard = 0; shard < FACTS_MAX + 10; shard++) {
    known.add("a", { shard, shards: 2 * FACTS_MAX + 1, sequence: 100 + shard });
  }
  const marks = new StreamMarks({ shard: 0, shards: 2 });
  marks.restore(known);
  const facts = [...saved(marks, ALL).streams()].flatMap(([, some]) => some);
  assert.equal(facts.length, FACTS_MAX);
  assert.equal(Math.min(...facts.map(({ sequence }) => sequence)), 110);
});

Deno.test("StreamMarks.reach() drops facts that the mark has reached", () => {
  const share = { shard: 0, shards: 2 };
  const marks = new StreamMarks(share);
  const known = new ProgressByStream();
  known.add("a", { shard: 0, shards: 3, sequence: 6 });
  known.add("a", { shard: 1, shards: 3, sequence: 8 });
  marks.restore(known);
  marks.reach({ stream: "a", sequence: 7 });
  assert.deepEqual([...saved(marks, share).streams()], [
    ["a", [
      { ...share, sequence: 7 },
      { shard: 1, shards: 3, sequence: 8 },
    ]],
  ]);
  assert.equal(marks.appliedHosts({ stream: "a", sequence: 9 }), undefined);
});
