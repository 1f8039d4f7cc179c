import assert from "node:assert/strict";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import { segmentName, snapshotName } from "./filenames.ts";
import {
  recoverShard,
  type RecoveryReport,
  tidyAfterSnapshot,
} from "./recovery.ts";
import { isDamaged } from "./segment_report.ts";
import { SnapshotWriter } from "./snapshot_writer.ts";
import { NEW_LOG, WalWriter } from "./wal_writer.ts";

const DIRECTORY = "/store/0";

/** A log of one sample a segment, with snapshots before the given segments. */
function makeStore(segments: number, snapshots: readonly number[]): FaultFiles {
  const files = new FaultFiles(1);
  const wal = new WalWriter({
    files,
    directory: DIRECTORY,
    shard: 0,
    shardCount: 1,
    resume: NEW_LOG,
    segmentBytes: 1,
    describe: (series) => ({
      instance: "",
      cluster: "c",
      host: `h${series}`,
      type: "",
      typeId: "",
      subtype: "",
      subtypeId: "",
      metric: "m",
      frequencySec: 60,
    }),
  });
  for (let i = 1; i <= segments; i++) {
    wal.batch.append(i, 60, i);
    wal.commit();
  }
  wal.close();
  for (const segment of snapshots) {
    const owner = { shard: 0, shardCount: 1, segment };
    const snapshot = new SnapshotWriter(files, DIRECTORY, owner);
    snapshot.section(7, Uint8Array.of(segment));
    snapshot.finish();
  }
  return files;
}

function shardOf(files: FaultFiles) {
  return { files, directory: DIRECTORY, shard: 0, shardCount: 1 };
}

/** Recovers; what was handed over, in order, as text. */
function recover(
  files: FaultFiles,
): { seen: string[]; report: RecoveryReport } {
  const seen: string[] = [];
  const report = recoverShard(shardOf(files), {
    section: (kind, payload) => seen.push(`section ${kind} ${payload[0]}`),
    segment: (segment) => ({
      series() {},
      samples: (_id, _count, _time, values, at) =>
        seen.push(`segment ${segment}: ${values[at]}`),
      freeSeries() {},
      free() {},
      mark() {},
    }),
  });
  return { seen, report };
}

Deno.test("recoverShard() hands over the newest snapshot and the log since", () => {
  const { seen, report } = recover(makeStore(5, [2, 4]));
  assert.deepEqual(seen, ["section 7 4", "segment 4: 4", "segment 5: 5"]);
  assert.equal(report.resume.nextSegment, 6);
  assert.equal(report.resume.needsSnapshot, false);
  assert.deepEqual(report.problems, []);
});

Deno.test("recoverShard() finds nothing in a directory that is not there", () => {
  const { seen, report } = recover(new FaultFiles(1));
  assert.deepEqual(seen, []);
  assert.equal(report.plan.letter, "A");
});

Deno.test("recoverShard() falls back to the snapshot before and puts the bad one aside", () => {
  const files = makeStore(5, [2, 4]);
  files.bytesOf(`${DIRECTORY}/${snapshotName(4)}`)[90]! ^= 1;
  files.put(`${DIRECTORY}/${snapshotName(6)}.tmp`, new Uint8Array(9));
  const { seen, report } = recover(files);
  assert.deepEqual(seen, [
    "section 7 2",
    ...[2, 3, 4, 5].map((n) => `segment ${n}: ${n}`),
  ]);
  assert.equal(report.plan.letter, "E");
  assert.equal(report.resume.needsSnapshot, true);
  assert.deepEqual(report.snapshots.map((one) => one.state), [
    "damaged",
    "good",
  ]);
  assert.deepEqual(files.list(`${DIRECTORY}/quarantine`), [snapshotName(4)]);
  assert.ok(!files.list(DIRECTORY).some((name) => name.endsWith(".tmp")));
});

Deno.test("recoverShard() goes on when nothing can be tidied or synced", () => {
  const files = makeStore(3, [2]);
  files.put(`${DIRECTORY}/x.tmp`, new Uint8Array(1));
  files.bytesOf(`${DIRECTORY}/${snapshotName(2)}`)[90]! ^= 1;
  for (
    const kind of ["remove", "rename", "sync", "syncDirectory"] as const
  ) files.rates[kind] = 1000;
  const { seen, report } = recover(files);
  assert.deepEqual(seen, [1, 2, 3].map((n) => `segment ${n}: ${n}`));
  assert.equal(report.resume.needsSnapshot, true);
  assert.equal(report.problems.length, 6);
});

Deno.test("recoverShard() reports damage and reads on", () => {
  const files = makeStore(3, []);
  files.bytesOf(`${DIRECTORY}/${segmentName(2)}`).fill(0x33, 64, 400);
  const { seen, report } = recover(files);
  assert.deepEqual(seen, ["segment 1: 1", "segment 3: 3"]);
  assert.deepEqual(report.segments.map(isDamaged), [false, true, false]);
});

Deno.test("recoverShard() tells that a segment was longer when the next was begun", () => {
  const files = makeStore(3, []);
  const path = `${DIRECTORY}/${segmentName(2)}`;
  const whole = files.bytesOf(path).slice();
  files.put(path, whole.subarray(0, whole.length - 1));
  const { report } = recover(files);
  assert.deepEqual(report.segments.map(isDamaged), [false, true, false]);
  const { missingTailBytes, goodBytes } = report.segments[1]!;
  assert.equal(missingTailBytes, whole.length - goodBytes);
});

Deno.test("recoverShard() tells a writer what the segment before was worth", () => {
  const files = makeStore(2, []);
  const newest = `${DIRECTORY}/${segmentName(2)}`;
  const whole = files.bytesOf(newest).slice();
  files.put(newest, whole.subarray(0, whole.length - 1));
  const { report } = recover(files);
  const { goodBytes } = report.segments[1]!;
  assert.deepEqual(report.resume, {
    nextSegment: 3,
    previousBytes: goodBytes,
    needsSnapshot: false,
  });
  // A start that follows does not take the torn tail for damage.
  const wal = new WalWriter({
    ...shardOf(files),
    resume: report.resume,
    describe: () => assert.fail("no sample is written"),
  });
  wal.mark({ key: "k", value: 1 });
  wal.commit();
  const again = recover(files).report;
  assert.deepEqual(again.segments.map(isDamaged), [false, false, false]);
});

Deno.test("tidyAfterSnapshot() keeps a copy of a damaged segment and removes what is not needed", () => {
  const files = makeStore(5, [3]);
  const damaged = `${DIRECTORY}/${segmentName(4)}`;
  files.bytesOf(damaged)[100]! ^= 1;
  const { report } = recover(files);
  const snapshot = new SnapshotWriter(files, DIRECTORY, {
    shard: 0,
    shardCount: 1,
    segment: 6,
  });
  snapshot.finish();
  assert.deepEqual(tidyAfterSnapshot(shardOf(files), report), []);
  const quarantine = `${DIRECTORY}/quarantine`;
  assert.deepEqual(files.list(quarantine), [segmentName(4)]);
  assert.deepEqual(
    files.bytesOf(`${quarantine}/${segmentName(4)}`),
    files.bytesOf(damaged),
  );
  assert.deepEqual(files.list(DIRECTORY), [
    snapshotName(3),
    snapshotName(6),
    ...[3, 4, 5].map(segmentName),
  ]);
});

Deno.test("tidyAfterSnapshot() keeps a damaged segment that could not be copied, and tries again", () => {
  const files = makeStore(5, []);
  files.bytesOf(`${DIRECTORY}/${segmentName(1)}`)[100]! ^= 1;
  const { report } = recover(files);
  for (const segment of [5, 6]) {
    const owner = { shard: 0, shardCount: 1, segment };
    new SnapshotWriter(files, DIRECTORY, owner).finish();
  }
  files.rates.write = 1000;
  assert.equal(tidyAfterSnapshot(shardOf(files), report).length, 1);
  assert.ok(files.list(DIRECTORY).includes(segmentName(1)));
  files.heal();
  assert.deepEqual(tidyAfterSnapshot(shardOf(files), report), []);
  assert.ok(!files.list(DIRECTORY).includes(segmentName(1)));
  assert.deepEqual(files.list(`${DIRECTORY}/quarantine`), [segmentName(1)]);
});
