import assert from "node:assert/strict";
import {
  layoutName,
  quarantineDirectory,
  SEGMENT_MAX,
  segmentName,
  segmentOfName,
  segmentOfSnapshotName,
  shardCountOf,
  shardDirectory,
  snapshotName,
} from "./filenames.ts";

Deno.test("names of files are as documented", () => {
  const directory = shardDirectory("var/checkpoints", 4, 2);
  assert.equal(directory, "var/checkpoints/ringstore/shards-4/2");
  assert.equal(quarantineDirectory(directory), `${directory}/quarantine`);
  assert.equal(segmentName(17), "wal.0000000017");
  assert.equal(snapshotName(SEGMENT_MAX), "snapshot.4294967295");
});

Deno.test("segmentOfName() and the others read back what was named", () => {
  for (const segment of [1, 17, SEGMENT_MAX]) {
    assert.equal(segmentOfName(segmentName(segment)), segment);
    assert.equal(segmentOfSnapshotName(snapshotName(segment)), segment);
  }
  assert.equal(shardCountOf(layoutName(16)), 16);
});

Deno.test("segmentOfName() and the others pass over names that are not ours", () => {
  const odd = [
    "",
    "wal.",
    "wal.1",
    "wal.0000000000",
    "wal.00000000017",
    "wal.000000001x",
    "wal.9999999999",
    "wal.0000000001.tmp",
    "current.wal",
    "snapshot.0000000001",
  ];
  assert.deepEqual(odd.filter((name) => segmentOfName(name) !== undefined), []);
  assert.equal(segmentOfSnapshotName("snapshot.0000000001.tmp"), undefined);
  for (const name of ["shards-", "shards-0", "shards-01", "shards-2.tmp"]) {
    assert.equal(shardCountOf(name), undefined, name);
  }
});

Deno.test("segmentName() refuses numbers that would not sort", () => {
  for (const segment of [0, -1, 1.5, SEGMENT_MAX + 1, NaN]) {
    assert.throws(() => segmentName(segment), /BUG/);
  }
});
