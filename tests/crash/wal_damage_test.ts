/**
 * One log segment, damaged in every way we could name: what survives, what is
 * reported, and that reading never throws.
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { HEADER_BYTES } from "../../src/metricstore/persist/file_header.ts";
import { segmentName } from "../../src/metricstore/persist/filenames.ts";
import {
  isDamaged,
  type SegmentReport,
} from "../../src/metricstore/persist/segment_report.ts";
import type { SeriesEntry } from "../../src/metricstore/persist/series_dictionary.ts";
import {
  KIND,
  MAGIC,
  RECORD_HEADER_BYTES,
  RECORD_KIND,
  RECORD_MAGIC,
  RECORD_PAYLOAD_BYTES,
  sealRecord,
} from "../../src/metricstore/persist/wal_format.ts";
import { readSegment } from "../../src/metricstore/persist/wal_reader.ts";
import {
  NEW_LOG,
  WalWriter,
} from "../../src/metricstore/persist/wal_writer.ts";
import { FaultFiles } from "../support/fault_files.ts";

const DIRECTORY = "/store/1";
const OWNER = { shard: 1, shardCount: 2, segment: 1 };
const PATH = `${DIRECTORY}/${segmentName(1)}`;

function entryOf(series: number): SeriesEntry {
  return {
    instance: "",
    cluster: "c",
    host: `h${series}`,
    type: "",
    typeId: "",
    subtype: "",
    subtypeId: "",
    metric: "m",
    frequencySec: 60,
  };
}

/**
 * The log that is damaged: five batches; the first names three series, the
 * fourth a new one; a free and a mark; its end as left by a crash.
 */
function writeLog(): Uint8Array {
  const files = new FaultFiles(1);
  const wal = new WalWriter({
    files,
    directory: DIRECTORY,
    shard: 1,
    shardCount: 2,
    resume: NEW_LOG,
    describe: entryOf,
  });
  for (let batch = 0; batch < 5; batch++) {
    const series = batch === 3 ? [0, 1, 9] : [0, 1, 5];
    for (const one of series) wal.batch.append(one, 60 * batch, one + batch);
    if (batch === 2) {
      wal.free({ instance: "", path: ["c", "h5"], toSec: 60 });
      wal.mark({ key: "stream", value: 2 ** 40 + 7 });
    }
    wal.commit();
  }
  return files.bytesOf(PATH).slice();
}

const LOG = writeLog();

interface Record {
  readonly kind: number;
  readonly start: number;
  readonly end: number;
}

function recordsOf(bytes: Uint8Array): Record[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const records: Record[] = [];
  for (let start = HEADER_BYTES; start < bytes.length;) {
    const end = start + RECORD_HEADER_BYTES +
      view.getUint32(start + RECORD_PAYLOAD_BYTES, true);
    const kind = view.getUint32(start + RECORD_KIND, true);
    records.push({ kind, start, end });
    start = end;
  }
  return records;
}

const RECORDS = recordsOf(LOG);
const { SERIES, SAMPLES, FREE, MARK, WHOLE } = KIND;

/** What a segment says, as lines of text, and what was wrong with it. */
function read(bytes: Uint8Array): { lines: string[]; report: SegmentReport } {
  const files = new FaultFiles(1);
  files.put(PATH, bytes);
  const lines: string[] = [];
  const hosts: string[] = [];
  const report = readSegment(files, PATH, OWNER, {
    series: (id, entry) => hosts[id] = entry.host,
    samples(firstId, count, timeSec, values, at) {
      for (let i = 0; i < count; i++) {
        const host = hosts[firstId + i];
        lines.push(`${host} ${timeSec} ${values[at + i]}`);
      }
    },
    free: ({ path, toSec }) => lines.push(`free ${path} ${toSec}`),
    freeSeries: ({ path, metrics, toSec }) =>
      lines.push(`free ${path} ${metrics} ${toSec}`),
    mark: ({ key, value }) => lines.push(`mark ${key} ${value}`),
  });
  return { lines, report };
}

const LINES = read(LOG).lines;

/** What the record at `index` says on its own. */
function linesOf(index: number): string[] {
  const { kind, start } = RECORDS[index]!;
  if (kind === FREE) return ["free c,h5 60"];
  if (kind === MARK) return [`mark stream ${2 ** 40 + 7}`];
  if (kind !== SAMPLES) return [];
  const batch =
    RECORDS.filter((record) => record.kind === SAMPLES && record.start < start)
      .length;
  return LINES.filter((line) => Number(line.split(" ")[1]) === 60 * batch)
    .filter((line) => line.startsWith("h"));
}

function without(lost: readonly string[]): string[] {
  return LINES.filter((line) => !lost.includes(line));
}

Deno.test("WalWriter writes the log that these tests damage", () => {
  assert.deepEqual(
    RECORDS.map((record) => record.kind),
    [
      ...[SERIES, SAMPLES, SERIES],
      SAMPLES,
      ...[WHOLE, SAMPLES, FREE, MARK],
      ...[SERIES, SAMPLES, SERIES],
      SAMPLES,
    ],
  );
  assert.deepEqual(LINES.slice(0, 3), ["h0 0 0", "h1 0 1", "h5 0 5"]);
  assert.equal(LINES.length, 17);
  const { report } = read(LOG);
  assert.equal(isDamaged(report), false);
  assert.equal(report.tornTailBytes, 0);
  assert.equal(report.samples, 15);
  for (const [i] of RECORDS.entries()) {
    const isQuiet = [SERIES, WHOLE].includes(RECORDS[i]!.kind as 1 | 6);
    assert.ok(isQuiet || linesOf(i).length > 0);
  }
});

/** Named damage: what it does to the bytes, and what must survive. */
interface Damage {
  readonly name: string;
  readonly harm: (bytes: Uint8Array, view: DataView) => Uint8Array | void;
  /** Records that may be lost, by their place in the log. */
  readonly lost: readonly number[];
  readonly gaps: number;
  readonly tornTail?: boolean;
  readonly damaged?: boolean;
}

const LAST = RECORDS.length - 1;
const at = (record: number) => RECORDS[record]!;

const DAMAGES: readonly Damage[] = [
  { name: "nothing", harm: () => {}, lost: [], gaps: 0, damaged: false },
  {
    name: "a torn last record",
    harm: (bytes) => bytes.slice(0, at(LAST).end - 5),
    lost: [LAST],
    gaps: 0,
    tornTail: true,
    damaged: false,
  },
  {
    name: "a torn header of the last record",
    harm: (bytes) => bytes.slice(0, at(LAST).start + 7),
    lost: [LAST],
    gaps: 0,
    tornTail: true,
    damaged: false,
  },
  {
    name: "a bad checksum",
    harm: (bytes) => void bytes[at(3).start]!++,
    lost: [3],
    gaps: 1,
  },
  {
    name: "a bad magic",
    harm: (bytes) => void bytes[at(3).start + RECORD_MAGIC]!++,
    lost: [3],
    gaps: 1,
  },
  {
    name: "a length that is too long",
    harm: (_, view) =>
      view.setUint32(at(3).start + RECORD_PAYLOAD_BYTES, 0xfffffff8, true),
    lost: [3],
    gaps: 1,
  },
  {
    name: "a length that reaches into the next record",
    harm: (_, view) =>
      view.setUint32(at(3).start + RECORD_PAYLOAD_BYTES, 64, true),
    lost: [3],
    gaps: 1,
  },
  {
    name: "a length of zero",
    harm: (_, view) =>
      view.setUint32(at(3).start + RECORD_PAYLOAD_BYTES, 0, true),
    lost: [3],
    gaps: 1,
  },
  {
    name: "the first copy of the names overwritten",
    harm: (bytes) => void bytes.fill(0xee, at(0).start, at(0).end),
    lost: [],
    gaps: 1,
  },
  {
    name: "the second copy of the names overwritten",
    harm: (bytes) => void bytes.fill(0xee, at(2).start, at(2).end),
    lost: [],
    gaps: 1,
  },
  {
    name: "the first copies of all names overwritten",
    harm: (bytes) => {
      bytes.fill(0, at(0).start, at(0).end);
      bytes.fill(0, at(8).start, at(8).end);
    },
    lost: [],
    gaps: 2,
  },
  {
    name: "both copies of the later names overwritten",
    harm: (bytes) => {
      bytes.fill(0, at(8).start, at(8).end);
      bytes.fill(0, at(10).start, at(10).end);
    },
    // Only the new series has no name any more; h0 and h1 are read.
    lost: [],
    gaps: 2,
  },
  {
    name: "zeros from the middle of one record to the middle of another",
    harm: (bytes) => void bytes.fill(0, at(3).start + 20, at(5).start + 20),
    lost: [3, 4, 5],
    gaps: 1,
  },
  {
    name: "zeros at the end, as a power cut leaves them",
    harm: (bytes) => {
      const longer = new Uint8Array(bytes.length + 4096);
      longer.set(bytes);
      return longer;
    },
    lost: [],
    gaps: 0,
    tornTail: true,
    damaged: false,
  },
  {
    name: "a damaged header of the file",
    harm: (bytes) => void bytes[3]!++,
    lost: [],
    gaps: 1,
  },
  {
    name: "a header of zeros",
    harm: (bytes) => void bytes.fill(0, 0, HEADER_BYTES),
    lost: [],
    gaps: 1,
  },
  {
    name: "a file of zeros",
    harm: (bytes) => void bytes.fill(0),
    lost: RECORDS.map((_, i) => i),
    gaps: 0,
    tornTail: true,
    damaged: false,
  },
  {
    name: "an empty file",
    harm: () => new Uint8Array(0),
    lost: RECORDS.map((_, i) => i),
    gaps: 0,
    damaged: false,
  },
  {
    name: "a record of an unknown kind",
    harm: (bytes, view) => sealRecord(bytes, view, at(3).start, at(3).end, 99),
    lost: [3],
    gaps: 0,
  },
  {
    name: "a run that is longer than its record",
    harm: (bytes, view) => {
      const { start, end } = at(3);
      view.setUint32(start + RECORD_HEADER_BYTES + 4, 1000, true);
      sealRecord(bytes, view, start, end, SAMPLES);
    },
    lost: [3],
    gaps: 0,
  },
];

for (const damage of DAMAGES) {
  Deno.test(`readSegment() survives ${damage.name}`, () => {
    const copy = LOG.slice();
    const bytes = damage.harm(copy, new DataView(copy.buffer)) ?? copy;
    const { lines, report } = read(bytes);
    const lost = damage.lost.flatMap(linesOf);
    if (damage.name.startsWith("both copies")) {
      lost.push("h9 180 12");
      assert.equal(report.namelessSamples, 1);
    }
    assert.deepEqual(lines, without(lost));
    assert.equal(report.gapCount, damage.gaps);
    assert.equal(report.tornTailBytes > 0, damage.tornTail ?? false);
    assert.equal(isDamaged(report), damage.damaged ?? true);
  });
}

Deno.test("readSegment() loses only what is cut off, at every length, and of a batch with a mark all if a part", () => {
  const [first] = RECORDS.filter(({ kind }) => kind === WHOLE);
  const [mark] = RECORDS.filter(({ kind }) => kind === MARK);
  /** Where the file must end for the record to count. */
  const neededEnd = (record: Record) =>
    record.start >= first!.start && record.end <= mark!.end
      ? mark!.end
      : record.end;
  for (let length = 0; length < LOG.length; length++) {
    const { lines, report } = read(LOG.slice(0, length));
    const whole = RECORDS.flatMap((record, i) =>
      neededEnd(record) <= length ? linesOf(i) : []
    );
    assert.deepEqual(lines, whole, `cut to ${length} bytes`);
    const end = RECORDS.findLast((record) => neededEnd(record) <= length)
      ?.end ??
      Math.min(HEADER_BYTES, length);
    const torn = length < HEADER_BYTES ? length : length - end;
    assert.equal(report.tornTailBytes, torn, `cut to ${length} bytes`);
    assert.equal(isDamaged(report), false);
  }
});

Deno.test("readSegment() loses one record at most to a flipped bit, and says which", () => {
  for (let bit = 0; bit < LOG.length * 8; bit++) {
    const bytes = LOG.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const { lines, report } = read(bytes);
    const hit = RECORDS.findIndex((record) =>
      record.start <= bit >> 3 && bit >> 3 < record.end
    );
    const text = `bit ${bit & 7} of byte ${bit >> 3}`;
    assert.deepEqual(lines, without(hit < 0 ? [] : linesOf(hit)), text);
    if (hit === LAST) {
      // Looks like what a crash leaves of a batch.
      assert.equal(report.tornTailBytes, at(LAST).end - at(LAST).start, text);
      continue;
    }
    const offset = hit < 0 ? 0 : at(hit).start;
    const end = hit < 0 ? HEADER_BYTES : at(hit).end;
    assert.deepEqual(report.gaps, [{ offset, bytes: end - offset }], text);
    assert.equal(isDamaged(report), true, text);
  }
});

Deno.test("readSegment() reads a device that refuses one block", () => {
  const files = new FaultFiles(1);
  files.put(PATH, LOG);
  files.unreadable.set(PATH, [0, 10]);
  const report = readSegment(files, PATH, OWNER, {
    series() {},
    samples() {},
    free() {},
    freeSeries() {},
    mark() {},
  });
  assert.equal(report.unreadableBytes, LOG.length);
  assert.equal(report.records, 0);
  assert.equal(isDamaged(report), true);
});

Deno.test("readSegment() leaves a file of a later version alone", () => {
  const bytes = LOG.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 2, true);
  // The checksum fits: the header is intact, only newer.
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  const { lines, report } = read(bytes);
  assert.deepEqual(lines, []);
  assert.equal(report.header, "unknown-version");
  assert.equal(isDamaged(report), true);
});

Deno.test("readSegment() finds no record inside the payload of another", () => {
  // Values chosen to look like a record must not be taken for one.
  const files = new FaultFiles(1);
  const wal = new WalWriter({
    files,
    directory: DIRECTORY,
    shard: 1,
    shardCount: 2,
    resume: NEW_LOG,
    describe: entryOf,
  });
  const inner = new Uint8Array(RECORD_HEADER_BYTES + 24);
  const view = new DataView(inner.buffer);
  view.setUint32(RECORD_HEADER_BYTES + 4, 1, true);
  sealRecord(inner, view, 0, inner.length, SAMPLES);
  const forged = new Float64Array(inner.buffer);
  assert.ok(Number.isNaN(forged[0]), "no line can carry such a value");
  assert.equal(view.getUint32(RECORD_MAGIC, true), MAGIC);
  forged.subarray(1).forEach((value, i) => wal.batch.append(i, 60, value));
  wal.commit();
  const bytes = files.bytesOf(PATH).slice();
  const samples = recordsOf(bytes).find((record) => record.kind === SAMPLES)!;
  bytes[samples.start]!++;
  assert.deepEqual(read(bytes).lines, []);
});
