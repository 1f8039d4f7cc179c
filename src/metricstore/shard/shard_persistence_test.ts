/** What a start finds of what was done before it, over files that may fail. */
import assert from "node:assert/strict";
import { segmentOfSnapshotName } from "../persist/filenames.ts";
import { StorageError } from "../persist/storage_error.ts";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
} from "../catalog/_registry_fixture.ts";
import { freeAtAndBelow } from "./free_selectors.ts";
import { isIn, type ShardSlot } from "../transport/stream_progress.ts";
import { ShardPersistence } from "./shard_persistence.ts";

const REGISTRY = makeRegistry({
  load: { frequencySec: 60, aggregation: null },
});
const ENTRY = entryOf("h", "load", { frequencySec: 60 });
const DIRECTORY = "/checkpoints/ringstore/shards-1/0";
const ONLY: ShardSlot = { shard: 0, shards: 1 };

/** The shard as a start makes it: an empty memory, then what the files say. */
function start(
  files: FaultFiles,
  maxLogBytes = 2 ** 30,
  owner = ONLY,
  directories: readonly ShardSlot[] = [owner],
) {
  clear(REGISTRY);
  const notices: string[] = [];
  const persistence = new ShardPersistence({
    options: {
      directory: "/checkpoints",
      syncIntervalSec: 1,
      snapshotIntervalSec: 3600,
      maxLogBytes,
    },
    owner,
    registry: REGISTRY,
    retentionSec: 0,
    directories,
    outbox: { converted() {} },
    notify: (_level, message) => notices.push(message),
    onProgress: () => false,
    files,
  });
  return { persistence, notices };
}

/** Stores and logs samples of one series, as a batch of their own each. */
function write(
  { persistence }: ReturnType<typeof start>,
  ...samples: readonly (readonly [timeSec: number, value: number])[]
): void {
  const series = REGISTRY.resolveEntry(ENTRY);
  assert.ok(typeof series === "number");
  for (const [timeSec, value] of samples) {
    assert.ok(REGISTRY.table.write(series, timeSec, value));
    persistence.wal.batch.append(series, timeSec, value);
    persistence.commit();
  }
}

function free({ persistence }: ReturnType<typeof start>, toSec: number): void {
  const record = { instance: "", path: [], toSec };
  persistence.logFree((wal) => wal.free(record));
  freeAtAndBelow(REGISTRY, "", record.path, toSec);
}

/** The samples by time, of all runs. */
function samples(): [number, number][] {
  const series = REGISTRY.resolveEntry(ENTRY);
  assert.ok(typeof series === "number");
  const { fromSec, points } = read(REGISTRY, series, 0, 1e6);
  return points.flatMap((value, i): [number, number][] =>
    Number.isNaN(value) ? [] : [[fromSec + i * 60, value]]
  );
}

/** Names of the snapshots that are finished. */
function snapshots(files: FaultFiles): string[] {
  return files.list(DIRECTORY).filter((name) =>
    segmentOfSnapshotName(name) !== undefined
  );
}

/** Does what is due until there is a snapshot that was not there. */
function untilSnapshot(
  { persistence }: ReturnType<typeof start>,
  files: FaultFiles,
): void {
  const before = snapshots(files);
  for (let i = 0; i < 100; i++) {
    persistence.tick();
    if (snapshots(files).length > before.length) return;
  }
  assert.fail("no snapshot was due");
}

Deno.test("ShardPersistence.logFree() during a snapshot lets nothing freed come back after a kill", () => {
  const files = new FaultFiles(1);
  const shard = start(files, 0);
  write(shard, [600, 1]);
  assert.equal(shard.persistence.tick(), true, "a snapshot has begun");
  write(shard, [6000, 2], [6060, 3]);
  free(shard, 7000);
  // A new run that covers the time of a freed sample, but has none there.
  write(shard, [6010, 4], [7210, 5]);
  const before = samples();
  assert.deepEqual(before.map(([, value]) => value), [4, 5]);
  untilSnapshot(shard, files);
  files.kill();
  start(files);
  assert.deepEqual(samples(), before);
});

Deno.test("ShardPersistence.logFree() finishes a snapshot that it has made begin anew too often", () => {
  const files = new FaultFiles(1);
  const shard = start(files, 0);
  for (let i = 0; i < 4; i++) {
    write(shard, [600, i]);
    assert.equal(shard.persistence.tick(), true, "a snapshot has begun");
    assert.deepEqual(snapshots(files), []);
    free(shard, 0);
  }
  assert.equal(snapshots(files).length, 1);
});

Deno.test("ShardPersistence.commit() has a snapshot made when the log can be written again", () => {
  const files = new FaultFiles(1);
  const shard = start(files);
  write(shard, [600, 1]);
  files.capacityBytes = 0;
  // Fixes the phase of a new run, which the log does not say.
  assert.throws(() => write(shard, [60_000, 2]), StorageError);
  files.capacityBytes = Infinity;
  write(shard, [60_050, 3], [60_110, 4]);
  const before = samples();
  untilSnapshot(shard, files);
  files.kill();
  start(files);
  assert.deepEqual(samples(), before);
  assert.ok(shard.notices.includes("the log can be written again"));
});

Deno.test("ShardPersistence.snapshotNow() writes what memory holds and waits for nothing", () => {
  const files = new FaultFiles(1);
  const shard = start(files);
  write(shard, [600, 1], [60_000, 2]);
  shard.persistence.snapshotNow();
  assert.equal(snapshots(files).length, 1);
  // Also what no log says: the retention has freed something.
  freeAtAndBelow(REGISTRY, "", [], 6000);
  shard.persistence.snapshotNow();
  files.kill();
  start(files);
  assert.deepEqual(samples(), [[60_000, 2]]);
});

Deno.test("ShardPersistence.snapshotNow() tells why it could not", () => {
  const files = new FaultFiles(1);
  const shard = start(files);
  write(shard, [600, 1]);
  files.capacityBytes = 0;
  shard.persistence.snapshotNow();
  assert.deepEqual(snapshots(files), []);
  assert.ok(shard.notices.some((text) => text.startsWith("no snapshot: ")));
});

Deno.test("ShardPersistence.marks are put together from other layouts, and outlive kills before and after these are gone", () => {
  const files = new FaultFiles(1);
  for (const [shard, value] of [[0, 7], [1, 5]] as const) {
    const { persistence } = start(files, 0, { shard, shards: 2 });
    persistence.wal.mark({ key: "s", value });
    persistence.commit();
  }
  const hosts = Array.from({ length: 20 }, (_, i) => `h${i}`);
  const ahead = hosts.filter((host) =>
    isIn({ shard: 0, shards: 2 }, "", "c", host)
  );
  const owner = { shard: 1, shards: 3 };
  const check = ({ persistence: { marks } }: ReturnType<typeof start>) => {
    assert.equal(marks.covers({ stream: "s", sequence: 5 }), true);
    assert.equal(marks.covers({ stream: "s", sequence: 6 }), false);
    const wasApplied = marks.appliedHosts({ stream: "s", sequence: 7 });
    assert.deepEqual(
      hosts.filter((host) => wasApplied?.("", "c", host)),
      ahead,
    );
  };
  const before = [{ shard: 0, shards: 2 }, { shard: 1, shards: 2 }];
  check(start(files, 0, owner, [owner, ...before]));
  files.kill();
  const second = start(files, 0, owner, [owner, ...before]);
  check(second);
  second.persistence.snapshotNow();
  files.kill();
  for (const directories of [[...before, owner], [owner]]) {
    check(start(files, 0, owner, directories));
    files.kill();
  }
});

Deno.test("ShardPersistence puts what a layout left behind under what came since, also when it is come back to and killed", () => {
  const files = new FaultFiles(1);
  const other = [0, 1].map((shard) => ({ shard, shards: 2 }));
  const owner = other.find((one) =>
    isIn(one, ENTRY.instance, ENTRY.cluster, ENTRY.host)
  )!;
  write(start(files), [600, 1], [660, 1]);
  files.kill();
  write(start(files, 0, owner, [ONLY, ...other]), [600, 2]);
  files.kill();
  write(start(files, 0, ONLY, [ONLY, ...other]), [720, 3]);
  files.kill();
  // Both are still there, the one that was come back to is the younger.
  start(files, 0, ONLY, [...other, ONLY]);
  assert.deepEqual(samples(), [[600, 2], [660, 1], [720, 3]]);
});
