import assert from "node:assert/strict";
import fc from "fast-check";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { segmentName } from "./filenames.ts";
import type { SeriesEntry } from "./series_dictionary.ts";
import { StorageError } from "./storage_error.ts";
import { readSegment } from "./wal_reader.ts";
import { NEW_LOG, WalWriter } from "./wal_writer.ts";

const DIRECTORY = "/store/0";

function entryOf(series: number, name = `h${series}`): SeriesEntry {
  return {
    instance: "",
    cluster: "c",
    host: name,
    type: "",
    typeId: "",
    subtype: "",
    subtypeId: "",
    metric: "m",
    frequencySec: 60,
  };
}

function open(
  files: FaultFiles,
  options: Partial<ConstructorParameters<typeof WalWriter>[0]> = {},
): WalWriter {
  return new WalWriter({
    files,
    directory: DIRECTORY,
    shard: 0,
    shardCount: 1,
    resume: NEW_LOG,
    describe: (series) => entryOf(series),
    ...options,
  });
}

interface Sample {
  readonly host: string;
  readonly timeSec: number;
  readonly value: number;
}

/** All samples of the log's segments, in order. */
function readAll(files: FaultFiles): Sample[] {
  const samples: Sample[] = [];
  for (const name of files.list(DIRECTORY)) {
    const segment = Number(name.slice(4));
    const hosts: string[] = [];
    const path = `${DIRECTORY}/${name}`;
    const owner = { shard: 0, shardCount: 1, segment };
    const report = readSegment(files, path, owner, {
      series: (id, entry) => hosts[id] = entry.host,
      samples(firstId, count, timeSec, values, at) {
        for (let i = 0; i < count; i++) {
          const host = hosts[firstId + i]!;
          samples.push({ host, timeSec, value: values[at + i]! });
        }
      },
      free() {},
      freeSeries() {},
      mark() {},
    });
    assert.equal(report.header, "good");
    assert.equal(report.gapCount + report.namelessSamples, 0);
  }
  return samples;
}

Deno.test("WalWriter logs any samples in any order, bit for bit", () => {
  const sample = fc.record({
    series: fc.integer({ min: 0, max: 2000 }),
    timeSec: fc.integer({ min: 0, max: 3 }),
    value: fc.double({ noNaN: true }),
  });
  const batches = fc.array(fc.array(sample, { maxLength: 60 }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(batches, (all) => {
      const files = new FaultFiles(1);
      const wal = open(files, { segmentBytes: 3000 });
      for (const batch of all) {
        for (const { series, timeSec, value } of batch) {
          wal.batch.append(series, timeSec, value);
        }
        wal.commit();
      }
      const expected = all.flat().map(({ series, timeSec, value }) => ({
        host: `h${series}`,
        timeSec,
        value,
      }));
      assert.deepEqual(readAll(files), expected);
    }),
    { numRuns: fuzzRuns(200) },
  );
});

Deno.test("WalWriter.mark() makes a batch that is found with its mark or not at all, wherever a kill cuts the write", () => {
  const batch = fc.record({
    series: fc.array(fc.nat(300), { minLength: 1, maxLength: 60 }),
    isMarked: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(batch, { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (batches, cutAt) => {
        const files = new FaultFiles(1);
        const wal = open(files);
        const ends = batches.map(({ series, isMarked }, i) => {
          for (const one of series) wal.batch.append(one, 60 * i, i);
          if (isMarked) wal.mark({ key: "s", value: i });
          wal.commit();
          return wal.position.offset;
        });
        const path = `${DIRECTORY}/${segmentName(1)}`;
        const bytes = files.bytesOf(path);
        const length = Math.floor(cutAt * bytes.length);
        files.put(path, bytes.subarray(0, length));
        const counts = batches.map(() => 0);
        const marks: number[] = [];
        readSegment(files, path, { shard: 0, shardCount: 1, segment: 1 }, {
          series() {},
          samples: (_id, count, timeSec) => counts[timeSec / 60]! += count,
          free() {},
          freeSeries() {},
          mark: ({ value }) => marks.push(value),
        });
        for (const [i, { series, isMarked }] of batches.entries()) {
          const isThere = ends[i]! <= length;
          if (isThere) assert.equal(counts[i], series.length);
          else if (isMarked) assert.equal(counts[i], 0);
          assert.equal(marks.includes(i), isThere && isMarked);
        }
      },
    ),
    { numRuns: fuzzRuns(200) },
  );
});

Deno.test("WalWriter logs a batch of many records through growing buffers", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  for (const timeSec of [60, 120]) {
    for (let i = 0; i < 100_000; i++) wal.batch.append(i, timeSec, i / 7);
    wal.commit();
  }
  const samples = readAll(files);
  assert.equal(samples.length, 200_000);
  assert.deepEqual(samples.at(-1), {
    host: "h99999",
    timeSec: 120,
    value: 99_999 / 7,
  });
});

Deno.test("WalWriter needs 8.2 bytes for a sample of a scrape whose series are named", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  const scrape = (timeSec: number) => {
    for (let i = 0; i < 737; i++) wal.batch.append(i, timeSec, i);
    wal.commit();
  };
  scrape(60);
  const before = wal.committedBytes;
  scrape(120);
  assert.ok((wal.committedBytes - before) / 737 < 8.2);
});

Deno.test("WalWriter.commit() is one write call, and none for nothing", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  wal.commit();
  assert.deepEqual(files.list(DIRECTORY), []);
  wal.batch.append(1, 60, 1);
  wal.commit();
  const writes = files.writes;
  for (let i = 0; i < 20_000; i++) wal.batch.append(i, 120, i);
  wal.commit();
  assert.equal(files.writes, writes + 1);
});

Deno.test("WalWriter.discard() forgets a batch and what it named", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  wal.batch.append(1, 60, 1);
  wal.discard();
  wal.batch.append(2, 60, 2);
  wal.batch.append(1, 60, 3);
  wal.commit();
  assert.deepEqual(readAll(files).map((one) => one.host), ["h2", "h1"]);
});

Deno.test("LogBuffer.forget() lets a number mean another series", () => {
  const files = new FaultFiles(1);
  let name = "first";
  const wal = open(files, { describe: (series) => entryOf(series, name) });
  wal.batch.append(5, 60, 1);
  wal.commit();
  name = "second";
  wal.batch.forget(5);
  wal.batch.forget(1_000_000);
  wal.batch.append(5, 60, 2);
  wal.batch.append(5, 120, 3);
  wal.commit();
  const hosts = readAll(files).map((sample) => sample.host);
  assert.deepEqual(hosts, ["first", "second", "second"]);
});

Deno.test("WalWriter.commit() takes all of a batch back when the disk is full, and resumes", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  wal.batch.append(1, 60, 1);
  wal.commit();
  const { offset } = wal.position;
  files.capacityBytes = offset + 100;
  for (const timeSec of [120, 180]) {
    for (let i = 0; i < 50; i++) wal.batch.append(i, timeSec, i);
    assert.throws(() => wal.commit(), (error: unknown) => {
      assert.ok(error instanceof StorageError);
      assert.equal(error.code, "E_STORAGE");
      assert.equal(error.status, 503);
      assert.equal(
        error.message,
        "the log cannot be written: No space left on device (os error 28)",
      );
      return true;
    });
    assert.deepEqual(wal.position, { segment: 1, offset });
  }
  files.heal();
  wal.batch.append(2, 240, 4);
  wal.commit();
  assert.deepEqual(readAll(files), [
    { host: "h1", timeSec: 60, value: 1 },
    { host: "h2", timeSec: 240, value: 4 },
  ]);
});

Deno.test("WalWriter.commit() gives a segment up that it cannot cut back", () => {
  const files = new FaultFiles(3);
  const wal = open(files);
  wal.batch.append(1, 60, 1);
  wal.commit();
  files.rates.write = 1000;
  files.rates.truncate = 1000;
  wal.batch.append(1, 120, 2);
  assert.throws(() => wal.commit(), StorageError);
  files.heal();
  assert.equal(wal.position.segment, 2);
  wal.batch.append(1, 180, 3);
  wal.commit();
  const values = readAll(files).map((sample) => sample.value);
  assert.ok(values.includes(1) && values.includes(3));
});

Deno.test("WalWriter.commit() tries the same segment again when it cannot be made", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  for (const capacityBytes of [0, 30]) {
    files.capacityBytes = capacityBytes;
    wal.batch.append(1, 60, 1);
    assert.throws(() => wal.commit(), StorageError);
  }
  files.heal();
  wal.batch.append(2, 60, 2);
  wal.commit();
  assert.deepEqual(files.list(DIRECTORY), [segmentName(1)]);
  assert.deepEqual(readAll(files), [{ host: "h2", timeSec: 60, value: 2 }]);
});

Deno.test("WalWriter begins another segment when one is full, and names series anew", () => {
  const files = new FaultFiles(1);
  const wal = open(files, { segmentBytes: 1 });
  for (const timeSec of [60, 120, 180]) {
    wal.batch.append(1, timeSec, timeSec);
    wal.commit();
  }
  assert.equal(files.list(DIRECTORY).length, 3);
  assert.deepEqual(readAll(files).map((one) => one.timeSec), [60, 120, 180]);
});

Deno.test("WalWriter.cut() ends the open segment, and none that has nothing", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  assert.equal(wal.cut(), 1);
  wal.batch.append(1, 60, 1);
  assert.throws(() => wal.cut(), /BUG/);
  wal.commit();
  assert.equal(wal.cut(), 2);
  assert.equal(wal.cut(), 2);
});

Deno.test("WalWriter.sync() throws after a failure until a snapshot was made", () => {
  const files = new FaultFiles(1);
  const wal = open(files);
  wal.batch.append(1, 60, 1);
  wal.commit();
  files.rates.sync = 1000;
  assert.throws(() => wal.sync(), /cannot be synced: Input\/output error/);
  files.heal();
  assert.equal(wal.needsSnapshot, true);
  wal.batch.append(1, 120, 2);
  wal.commit();
  assert.throws(() => wal.sync(), /a snapshot must be made/);
  wal.snapshotFinished(1);
  assert.equal(wal.needsSnapshot, true, "that one does not hold the samples");
  wal.snapshotFinished(wal.cut());
  wal.sync();
  assert.equal(wal.needsSnapshot, false);
});

Deno.test("WalWriter.sync() makes everything outlive a power cut", () => {
  const files = new FaultFiles(1);
  const wal = open(files, { segmentBytes: 200 });
  for (let i = 0; i < 30; i++) {
    wal.batch.append(i, 60, i);
    wal.commit();
  }
  wal.close();
  files.cutPower();
  assert.equal(readAll(files).length, 30);
});

Deno.test("WalWriter with needsSnapshot cannot promise a sync", () => {
  const resume = { nextSegment: 7, previousBytes: 0, needsSnapshot: true };
  const wal = open(new FaultFiles(1), { resume });
  assert.throws(() => wal.sync(), StorageError);
  wal.snapshotFinished(7);
  wal.sync();
});
