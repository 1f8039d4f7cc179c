import assert from "node:assert/strict";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import { readSnapshot, verifySnapshot } from "./snapshot_reader.ts";
import { SnapshotWriter } from "./snapshot_writer.ts";
import { StorageError } from "./storage_error.ts";

const OWNER = { shard: 1, shardCount: 2, segment: 9 };
const NAME = "snapshot.0000000009";
const PATH = `/d/${NAME}`;

type Section = readonly [kind: number, payload: Uint8Array];

function sections(...sizes: number[]): Section[] {
  return sizes.map((
    size,
    i,
  ) => [i, Uint8Array.from({ length: size }, (_, k) => k * 7 + i)]);
}

function write(files: FaultFiles, all: readonly Section[]): void {
  const snapshot = new SnapshotWriter(files, "/d", OWNER);
  for (const [kind, payload] of all) snapshot.section(kind, payload);
  snapshot.finish();
}

function read(files: FaultFiles): Section[] {
  const found: Section[] = [];
  const report = readSnapshot(files, PATH, OWNER, (kind, payload) => {
    assert.equal(payload.byteOffset % 8, 0);
    found.push([kind, payload.slice()]);
  });
  assert.equal(report.state, "good", report.reason);
  assert.equal(report.sections, found.length);
  return found;
}

Deno.test("readSnapshot() reads the sections that SnapshotWriter wrote", () => {
  const files = new FaultFiles(1);
  const all = sections(0, 1, 7, 8, 9, 300_000, 5, 262_144, 20 << 20, 3);
  write(files, all);
  assert.deepEqual(read(files), all);
  assert.deepEqual(files.list("/d"), [NAME]);
  files.cutPower();
  assert.deepEqual(read(files), all);
});

Deno.test("verifySnapshot() sees a snapshot cut at any length", () => {
  const files = new FaultFiles(1);
  write(files, sections(3, 16, 0, 40));
  const whole = files.bytesOf(PATH).slice();
  for (let length = 0; length < whole.length; length++) {
    files.put(PATH, whole.subarray(0, length));
    const report = verifySnapshot(files, PATH, OWNER);
    assert.equal(report.state, "damaged", `cut to ${length} bytes`);
    assert.notEqual(report.reason, "");
  }
  const longer = new Uint8Array(whole.length + 8);
  longer.set(whole);
  files.put(PATH, longer);
  assert.match(verifySnapshot(files, PATH, OWNER).reason, /follow its footer/);
});

Deno.test("verifySnapshot() sees every flipped bit", () => {
  const files = new FaultFiles(1);
  write(files, sections(3, 16, 0, 40));
  const bytes = files.bytesOf(PATH);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const { state } = verifySnapshot(files, PATH, OWNER);
    assert.equal(state, "damaged", `bit ${bit & 7} of byte ${bit >> 3}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  assert.equal(verifySnapshot(files, PATH, OWNER).state, "good");
});

Deno.test("verifySnapshot() misses a section that was taken out whole", () => {
  const files = new FaultFiles(1);
  write(files, sections(8, 8, 8));
  const bytes = files.bytesOf(PATH);
  const without = new Uint8Array(bytes.length - 24);
  without.set(bytes.subarray(0, 64 + 24));
  without.set(bytes.subarray(64 + 48), 64 + 24);
  files.put(PATH, without);
  const { reason } = verifySnapshot(files, PATH, OWNER);
  assert.match(reason, /counts other sections/);
});

Deno.test("verifySnapshot() judges files that are missing, foreign or unreadable", () => {
  const files = new FaultFiles(1);
  assert.match(verifySnapshot(files, PATH, OWNER).reason, /cannot be read/);
  write(files, sections(8));
  const other = { ...OWNER, shard: 0 };
  assert.equal(verifySnapshot(files, PATH, other).state, "damaged");
  files.unreadable.set(PATH, [70, 71]);
  assert.match(verifySnapshot(files, PATH, OWNER).reason, /error 5/);
});

Deno.test("readSnapshot() passes on what its handler throws", () => {
  const files = new FaultFiles(1);
  write(files, sections(8));
  assert.throws(
    () =>
      readSnapshot(files, PATH, OWNER, () => {
        throw new RangeError("mine");
      }),
    RangeError,
  );
});

for (const kind of ["write", "sync", "rename", "syncDirectory"] as const) {
  Deno.test(`SnapshotWriter leaves the snapshot before alone when ${kind} fails`, () => {
    const files = new FaultFiles(1);
    const before = sections(5);
    write(files, before);
    const snapshot = new SnapshotWriter(files, "/d", { ...OWNER, segment: 10 });
    snapshot.section(1, new Uint8Array(10));
    files.rates[kind] = 1000;
    assert.throws(() => snapshot.finish(), StorageError);
    files.heal();
    snapshot.abort();
    assert.ok(!files.list("/d").some((name) => name.endsWith(".tmp")));
    assert.deepEqual(read(files), before);
  });
}

Deno.test("SnapshotWriter refuses a section nobody could read", () => {
  const snapshot = new SnapshotWriter(new FaultFiles(1), "/d", OWNER);
  const tooLong = new Uint8Array((64 << 20) + 1);
  assert.throws(() => snapshot.section(1, tooLong), /BUG/);
  assert.throws(() => snapshot.section(2 ** 32 - 1, new Uint8Array(1)), /BUG/);
});
