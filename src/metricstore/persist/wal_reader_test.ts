import assert from "node:assert/strict";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import type { SegmentReport } from "./segment_report.ts";
import type { FreeRecord, MarkRecord } from "./wal_records.ts";
import { readSegment } from "./wal_reader.ts";
import { NEW_LOG, WalWriter } from "./wal_writer.ts";

const PATH = "/d/wal.0000000001";
const OWNER = { shard: 0, shardCount: 1, segment: 1 };
const SERIES = 1000;
const SCRAPES = 1500;

/** A segment of 12 MB, three windows of the reader. */
function longLog(): FaultFiles {
  const files = new FaultFiles(1);
  const wal = new WalWriter({
    files,
    directory: "/d",
    shard: 0,
    shardCount: 1,
    resume: NEW_LOG,
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
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    for (let i = 0; i < SERIES; i++) wal.batch.append(i, scrape * 60, scrape);
    if (scrape % 100 === 99) wal.commit();
  }
  wal.close();
  return files;
}

/** Reads; returns the report and how many values each scrape has. */
function read(files: FaultFiles): { report: SegmentReport; counts: number[] } {
  const counts = new Array<number>(SCRAPES).fill(0);
  const report = readSegment(files, PATH, OWNER, {
    series() {},
    samples(_firstId, count, timeSec, values, at) {
      counts[timeSec / 60]! += count;
      assert.equal(values[at + count - 1], timeSec / 60);
    },
    free() {},
    freeSeries() {},
    mark() {},
  });
  return { report, counts };
}

Deno.test("readSegment() reads a segment of several windows", () => {
  const { report, counts } = read(longLog());
  assert.equal(report.samples, SERIES * SCRAPES);
  assert.ok(counts.every((count) => count === SERIES));
  assert.equal(report.goodBytes, report.fileBytes);
  assert.equal(report.tornTailBytes, 0);
});

Deno.test("readSegment() finds its way behind damage in every part of a long segment", () => {
  const files = longLog();
  const bytes = files.bytesOf(PATH);
  for (let at = 1 << 16; at < bytes.length; at += (1 << 20) - 4096) {
    const length = Math.min(200_000, bytes.length - at);
    const saved = bytes.slice(at, at + length);
    bytes.fill(0x55, at, at + length);
    const { report } = read(files);
    const lost = SERIES * SCRAPES - report.samples;
    // At most three records of 64 KiB beyond the damage, of 8 bytes a sample.
    assert.ok(lost > 0 && lost < (length + 3 * 65_536) / 8, `${lost} at ${at}`);
    if (at + length < bytes.length) assert.equal(report.gapCount, 1);
    bytes.set(saved, at);
  }
});

Deno.test("readSegment() loses a block that the device refuses, and little more", () => {
  const files = longLog();
  files.unreadable.set(PATH, [5_000_000, 5_000_001]);
  const { report } = read(files);
  assert.equal(report.gapCount, 1);
  assert.equal(report.unreadableBytes, 4096);
  assert.ok(SERIES * SCRAPES - report.samples < 2 * 65_536 / 8);
});

Deno.test("readSegment() hands over frees and marks among the samples, in order", () => {
  const files = new FaultFiles(1);
  const wal = new WalWriter({
    files,
    directory: "/d",
    shard: 0,
    shardCount: 1,
    resume: NEW_LOG,
    describe: () => ({
      instance: "team",
      cluster: "c",
      host: "h",
      type: "hwthread",
      typeId: "3",
      subtype: "fs",
      subtypeId: "x",
      metric: "m",
      frequencySec: 60,
    }),
  });
  const free: FreeRecord = { instance: "team", path: ["c", "h"], toSec: 90 };
  const freeSeries = { ...free, metrics: ["m", "n"] };
  const mark: MarkRecord = { key: "stream", value: 12 };
  wal.batch.append(4, 60, 1);
  wal.free(free);
  wal.batch.append(4, 60, 2);
  wal.freeSeries(freeSeries);
  wal.mark(mark);
  wal.commit();
  const seen: unknown[] = [];
  readSegment(files, PATH, OWNER, {
    series: (id, entry) => seen.push([id, entry.typeId, entry.subtype]),
    samples: (id, count, timeSec, values, at) =>
      seen.push([id, count, timeSec, values[at]]),
    free: (record) => seen.push(record),
    freeSeries: (record) => seen.push(record),
    mark: (record) => seen.push(record),
  });
  assert.deepEqual(seen, [
    [0, "3", "fs"],
    [0, 1, 60, 1],
    free,
    [0, 1, 60, 2],
    freeSeries,
    mark,
  ]);
});
