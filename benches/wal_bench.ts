/**
 * The log alone: what a shard pays for writing samples to it, and how fast they
 * are read back. 100 hosts of 737 series each send a scrape a minute; fixed seed.
 */
import { crc32 } from "node:zlib";
import { shardDirectory } from "../src/metricstore/persist/filenames.ts";
import { DENO_FILES } from "../src/metricstore/persist/files.ts";
import { LogBuffer } from "../src/metricstore/persist/log_buffer.ts";
import { recoverShard } from "../src/metricstore/persist/recovery.ts";
import type { SeriesEntry } from "../src/metricstore/persist/series_dictionary.ts";
import { makeShardDirectory } from "../src/metricstore/persist/shard_directory.ts";
import type { WalHandler } from "../src/metricstore/persist/wal_reader.ts";
import { NEW_LOG, WalWriter } from "../src/metricstore/persist/wal_writer.ts";
import { Random } from "./support/random.ts";

const HOSTS = 100;
const SERIES_PER_HOST = 737;
const SERIES = HOSTS * SERIES_PER_HOST;
const START_SEC = 1_700_000_000;
/** Scrapes of all hosts in the log that is read. */
const SCRAPES = 40;

const random = new Random(1);
const values = Float64Array.from(
  { length: SERIES },
  () => random.below(1_000_000) / 100,
);

function describe(series: number): SeriesEntry {
  const thread = series % SERIES_PER_HOST;
  return {
    instance: "",
    cluster: "bench",
    host: `f${Math.floor(series / SERIES_PER_HOST)}`,
    type: "hwthread",
    typeId: String(thread % 72),
    subtype: "",
    subtypeId: "",
    metric: `metric_${Math.floor(thread / 72)}`,
    frequencySec: 60,
  };
}

function appendScrape(batch: LogBuffer, host: number, timeSec: number): void {
  const first = host * SERIES_PER_HOST;
  for (let i = first; i < first + SERIES_PER_HOST; i++) {
    batch.append(i, timeSec, values[i]!);
  }
}

const memory = new LogBuffer(describe);
let memoryTime = START_SEC;
Deno.bench(`LogBuffer: ${SERIES} samples of 100 hosts, in memory`, () => {
  memoryTime += 60;
  for (let host = 0; host < HOSTS; host++) {
    appendScrape(memory, host, memoryTime);
  }
  memory.finish();
  memory.accept();
});

const root = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));

function openWriter(shard: number): WalWriter {
  return new WalWriter({
    files: DENO_FILES,
    directory: makeShardDirectory(DENO_FILES, root, 2, shard),
    shard,
    shardCount: 2,
    resume: NEW_LOG,
    describe,
  });
}

const writer = openWriter(0);
let writerTime = START_SEC;
for (const hosts of [1, 25, 100]) {
  const count = hosts * SERIES_PER_HOST;
  Deno.bench(`WalWriter: ${count} samples of ${hosts} hosts, committed`, {
    group: "commit",
  }, () => {
    writerTime += 60;
    for (let host = 0; host < hosts; host++) {
      appendScrape(writer.batch, host, writerTime);
    }
    writer.commit();
    // Keeps the log from filling the disk: only the newest segments stay.
    if (writer.position.segment > 4) dropOldSegments();
  });
}

function dropOldSegments(): void {
  const directory = shardDirectory(root, 2, 0);
  const names = DENO_FILES.list(directory);
  for (const name of names.slice(0, -2)) {
    DENO_FILES.remove(`${directory}/${name}`);
  }
}

const log = openWriter(1);
for (let scrape = 0; scrape < SCRAPES; scrape++) {
  for (let host = 0; host < HOSTS; host++) {
    appendScrape(log.batch, host, START_SEC + scrape * 60);
    log.commit();
  }
}
log.close();

let digest = 0;
const summing: WalHandler = {
  series() {},
  samples(firstId, count, _timeSec, floats, at) {
    digest = (digest + firstId + floats[at]! + floats[at + count - 1]!) % 1e9;
  },
  freeSeries() {},
  free() {},
  mark() {},
};
Deno.bench(`recoverShard(): ${SERIES * SCRAPES} samples from the log`, () => {
  const report = recoverShard({
    files: DENO_FILES,
    directory: shardDirectory(root, 2, 1),
    shard: 1,
    shardCount: 2,
  }, { section() {}, segment: () => summing });
  const samples = report.segments.reduce((sum, one) => sum + one.samples, 0);
  if (samples !== SERIES * SCRAPES) throw new Error(`${samples} were read`);
});

const block = new Uint8Array(1 << 16);
Deno.bench("crc32() of a record of 64 KiB", () => {
  digest += crc32(block) & 1;
});
