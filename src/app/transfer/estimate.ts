/**
 * What a centre will need, from what a sample, a series and a host cost. Pure.
 *
 * | constant                  | what it is                                           |
 * | ------------------------- | ---------------------------------------------------- |
 * | `SAMPLE_BYTES`            | a sample of sealed, compressed history               |
 * | `HOT_TILE_BYTES`          | the newest 64 slots of a series, not compressed      |
 * | `SERIES_BYTES`            | record, name, key and the entries that lead to it    |
 * | `RUN_BYTES`               | record of a run of at most `RUN_SLOTS` slots         |
 * | `HOST_BYTES`              | a host and its levels                                |
 * | `PROCESS_BYTES`           | the program with no samples, buffers of the log included |
 * | `LOG_SAMPLE_BYTES`        | a sample in the log                                  |
 * | `SNAPSHOT_SAMPLE_BYTES`   | a sample in a snapshot                               |
 * | `SNAPSHOT_SERIES_BYTES`   | a series in a snapshot, hot tile included            |
 * | `SNAPSHOTS`               | kept at the same time: two, and one being written    |
 * | `SNAPSHOT_SEC`            | time between two at the most                         |
 * | `LOG_BYTES`               | log after which a snapshot follows, two shards       |
 *
 * Measured with the traces of a real job (1.42 bytes a sample with rounding) and two
 * shards; log and snapshots are kept back to the snapshot before the last.
 */
import { processBytes } from "../../metricstore/shard/memory_guard.ts";
import {
  PAGE_SLOTS,
  RECORD_WORDS,
  RUN_SLOTS,
} from "../../metricstore/store/layout.ts";

const SAMPLE_BYTES = 1.45;
const HOT_TILE_BYTES = PAGE_SLOTS * 8;
const SERIES_BYTES = 850;
const RUN_BYTES = RECORD_WORDS * 4;
const HOST_BYTES = 2000;
const PROCESS_BYTES = processBytes(2);
const LOG_SAMPLE_BYTES = 8.2;
const SNAPSHOT_SAMPLE_BYTES = SAMPLE_BYTES;
const SNAPSHOT_SERIES_BYTES = HOT_TILE_BYTES + 100;
const SNAPSHOTS = 3;
/** The default of `checkpoint-interval`. */
const SNAPSHOT_SEC = 12 * 3600;
const LOG_BYTES = 2 * (256 << 20);

export interface EstimateInput {
  readonly hosts: number;
  readonly seriesPerHost: number;
  readonly frequencySec: number;
  readonly retentionSec: number;
}

export interface Estimate {
  readonly series: number;
  readonly samples: number;
  readonly samplesPerSec: number;
  /** What makes up the memory and the disk, in bytes, by name. */
  readonly memory: Readonly<Record<string, number>>;
  readonly disk: Readonly<Record<string, number>>;
}

export function estimate(input: EstimateInput): Estimate {
  const series = input.hosts * input.seriesPerHost;
  const slots = Math.ceil(input.retentionSec / input.frequencySec);
  const samples = series * slots;
  const samplesPerSec = series / input.frequencySec;
  const runs = series * Math.ceil(slots / RUN_SLOTS);
  const snapshotBytes = samples * SNAPSHOT_SAMPLE_BYTES +
    series * SNAPSHOT_SERIES_BYTES;
  return {
    series,
    samples,
    samplesPerSec,
    memory: {
      "compressed history": samples * SAMPLE_BYTES,
      "newest samples": series * HOT_TILE_BYTES,
      "series, runs, names": series * SERIES_BYTES + runs * RUN_BYTES +
        input.hosts * HOST_BYTES,
      "the program itself": PROCESS_BYTES,
    },
    disk: {
      "log": 2 * Math.min(
        samplesPerSec * SNAPSHOT_SEC * LOG_SAMPLE_BYTES,
        Math.max(LOG_BYTES, snapshotBytes),
      ),
      [`snapshots (${SNAPSHOTS} at most)`]: SNAPSHOTS * snapshotBytes,
    },
  };
}

/** The estimate as a small table. */
export function estimateLines(result: Estimate): string[] {
  const row = (name: string, value: string) =>
    `${name.padEnd(26)}${value.padStart(12)}`;
  const part = (title: string, parts: Readonly<Record<string, number>>) => {
    const sum = Object.values(parts).reduce((a, b) => a + b, 0);
    return [
      "",
      row(title, formatBytes(sum)),
      ...Object.entries(parts).map(([name, bytes]) =>
        row(`  ${name}`, formatBytes(bytes))
      ),
    ];
  };
  return [
    row("series", formatCount(result.series)),
    row("samples kept", formatCount(result.samples)),
    row("samples per second", formatCount(result.samplesPerSec)),
    ...part("memory", result.memory),
    ...part("disk", result.disk),
  ];
}

/** Decimal units, as `memory-cap` is in GB. */
function formatBytes(bytes: number): string {
  return `${scaled(bytes)}B`;
}

function formatCount(count: number): string {
  return scaled(count).trimEnd();
}

function scaled(amount: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  let rest = amount;
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = rest >= 100 || (unit === 0 && Number.isInteger(rest))
    ? 0
    : rest >= 10
    ? 1
    : 2;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}
