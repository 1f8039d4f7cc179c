/**
 * Compressed blocks over a real job of 32 hosts: bytes, encode and decode time a
 * sample for each metric and for several block sizes, beside a plain copy and
 * zlib. Run it as a program for the table; `deno bench` shows the kernels.
 */
import { deflateSync, gunzipSync } from "node:zlib";
import {
  BLOCK_SLACK,
  BLOCK_SLOTS_MAX,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "../src/metricstore/store/block_codec.ts";
import { decodeThousandths } from "../src/metricstore/store/block_thousandths.ts";
import { BlockPool } from "../src/metricstore/store/block_pool.ts";
import { Random } from "./support/random.ts";

const ROUNDS = 15;
const SLOTS = 64;

interface JobMetric {
  node: { series: { data: (number | null)[] }[] };
}

function readJob(): Map<string, Float64Array[]> {
  const file = new URL(
    "../tests/testdata/emmy/1403244-data.json.gz",
    import.meta.url,
  );
  const job: Record<string, JobMetric> = JSON.parse(
    gunzipSync(Deno.readFileSync(file)).toString(),
  );
  return new Map(
    Object.entries(job).map(([name, metric]) => [
      name,
      metric.node.series.map(({ data }) =>
        Float64Array.from(data, (value) => value ?? NaN)
      ),
    ]),
  );
}

const OUT = new DataView(
  new ArrayBuffer(blockBytesMax(BLOCK_SLOTS_MAX) + BLOCK_SLACK),
);
const ENCODED = new Uint8Array(OUT.buffer);
const DECODED = new Float64Array(BLOCK_SLOTS_MAX);
const INTEGERS = new Int32Array(BLOCK_SLOTS_MAX);

/** Blocks one behind the other, as they would lie in memory. */
interface Packed {
  view: DataView;
  starts: number[];
  bytes: number;
  samples: number;
  values: number;
}

function pack(columns: readonly Float64Array[], slots: number): Packed {
  const samples = columns.reduce((sum, column) => sum + column.length, 0);
  const memory = new Uint8Array(
    new SharedArrayBuffer(samples * 9 + blockBytesMax(slots)),
  );
  const starts: number[] = [];
  let bytes = 0;
  let values = 0;
  for (const column of columns) {
    for (let from = 0; from + slots <= column.length; from += slots) {
      const length = encodeBlock(column, from, slots, OUT);
      memory.set(ENCODED.subarray(0, length), bytes);
      starts.push(bytes);
      bytes += length;
      for (let i = 0; i < slots; i++) {
        if (!Number.isNaN(column[from + i]!)) values++;
      }
    }
  }
  const view = new DataView(memory.buffer);
  return { view, starts, bytes, samples: starts.length * slots, values };
}

function encodeAll(columns: readonly Float64Array[]): void {
  for (const column of columns) {
    for (let from = 0; from + SLOTS <= column.length; from += SLOTS) {
      encodeBlock(column, from, SLOTS, OUT);
    }
  }
}

function copyAll(columns: readonly Float64Array[]): void {
  for (const column of columns) {
    for (let from = 0; from + SLOTS <= column.length; from += SLOTS) {
      for (let i = 0; i < SLOTS; i++) DECODED[i] = column[from + i]!;
    }
  }
}

function decodeAll(packed: Packed): void {
  const { view, starts } = packed;
  for (const start of starts) decodeBlock(view, start, 0, SLOTS, DECODED, 0);
}

function decodeIntegers(packed: Packed): void {
  const { view, starts } = packed;
  for (const start of starts) {
    decodeThousandths(view, start, 0, SLOTS, INTEGERS, 0);
  }
}

/** Least time of several rounds, nanoseconds a sample. */
function fastest(samples: number, run: () => void): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least * 1e6 / samples;
}

function zlibBytes(columns: readonly Float64Array[], samples: number): string {
  const bytes = columns.reduce(
    (sum, column) =>
      sum + deflateSync(new Uint8Array(column.slice().buffer)).length,
    0,
  );
  return (bytes / samples).toFixed(2);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

function perMetric(metrics: ReadonlyMap<string, Float64Array[]>): string {
  let text = row([
    "metric",
    "B/value",
    "B/slot",
    "zlib B/slot",
    "encode ns",
    "decode ns",
    "copy ns",
  ]) + row(new Array<string>(7).fill("---"));
  for (const [name, columns] of metrics) {
    const packed = pack(columns, SLOTS);
    const { bytes, samples, values } = packed;
    text += row([
      name,
      (bytes / values).toFixed(2),
      (bytes / samples).toFixed(2),
      zlibBytes(columns, columns.length * columns[0]!.length),
      fastest(samples, () => encodeAll(columns)).toFixed(1),
      fastest(samples, () => decodeAll(packed)).toFixed(1),
      fastest(samples, () => copyAll(columns)).toFixed(1),
    ]);
  }
  return text;
}

function perSize(columns: readonly Float64Array[]): string {
  let text = row(["slots", "B/value", "with rounding", "B/slot"]) +
    row(new Array<string>(4).fill("---"));
  for (const slots of [64, 128, 256, 512]) {
    const { bytes, samples, values, starts } = pack(columns, slots);
    const pool = new BlockPool(BLOCK_SLACK);
    starts.forEach((start, i) =>
      pool.allocate((starts[i + 1] ?? bytes) - start)
    );
    text += row([
      String(slots),
      (bytes / values).toFixed(3),
      (pool.used / values).toFixed(3),
      (bytes / samples).toFixed(3),
    ]);
  }
  return text;
}

const METRICS = readJob();
const ALL = [...METRICS.values()].flat();

export interface BlockFigures {
  /** Headers and rounding to what the pool hands out included. */
  readonly bytesPerValue: number;
  readonly encodeNs: number;
  readonly decodeNs: number;
}

/** The nine metrics of the job together; times a slot. */
export function measureBlocks(): BlockFigures {
  const packed = pack(ALL, SLOTS);
  const { bytes, samples, starts, values } = packed;
  const pool = new BlockPool(BLOCK_SLACK);
  starts.forEach((start, i) => pool.allocate((starts[i + 1] ?? bytes) - start));
  return {
    bytesPerValue: pool.used / values,
    encodeNs: fastest(samples, () => encodeAll(ALL)),
    decodeNs: fastest(samples, () => decodeAll(packed)),
  };
}

if (import.meta.main) {
  const random = new Random(1);
  const made = new Map(METRICS);
  made.set("all nine", ALL);
  made.set("made up: integers below 1000", [
    Float64Array.from({ length: 46_080 }, () => random.below(1000)),
  ]);
  made.set("made up: all digits", [
    Float64Array.from(
      { length: 46_080 },
      () => random.below(2 ** 30) / 7919,
    ),
  ]);
  const text = `${perMetric(made)}\n${perSize(ALL)}`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

const PACKED = pack(ALL, SLOTS);
Deno.bench("encodeBlock() a job of 9 x 32 series x 1408", () => encodeAll(ALL));
Deno.bench("decodeBlock() the same", () => decodeAll(PACKED));
Deno.bench("decodeThousandths() the same", () => decodeIntegers(PACKED));
Deno.bench("a plain copy of the same", { baseline: true }, () => copyAll(ALL));
