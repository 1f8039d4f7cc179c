/**
 * What keeping samples costs: memory and log per sample, the time of a restart,
 * how long small writes take while a snapshot is being written, and reading 48
 * hours of one series. Real traces over many hosts, one server after the other
 * over the same files.
 *
 * `deno task bench` runs it; alone: `deno run … benches/store_bench.ts [--small]
 * [--series N]`.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { TEMPORARY_SUFFIX } from "../src/metricstore/persist/filenames.ts";
import {
  DurableServer,
  type StoreSettings,
} from "../tests/crash/durable_server.ts";
import { SAMPLE_TOKEN } from "../tests/support/client.ts";
import {
  REAL_JOB_CLUSTER,
  REAL_JOB_STEP_SEC as STEP_SEC,
} from "../tests/support/real_job.ts";
import { type BlockFigures, measureBlocks } from "./block_codec_bench.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { residentBytes } from "./support/machine.ts";
import { encodeRequest, RawConnection } from "./support/raw_http.ts";
import { print, quantile, writeResult } from "./support/report.ts";
import { TraceLoad } from "./support/trace_load.ts";

const SHARDS = 2;
const DAY_SLOTS = 1440;
/** A body of so many characters is some 100 samples: one collector's. */
const SMALL_BODY_CHARS = 6000;
/** Between two small writes. */
const WRITE_EVERY_MS = 3;
/** After a burst, until the process has given back what it is going to. */
const REST_MS = 3000;
const READS = 500;
const AUTHORIZATION = `Authorization: Bearer ${SAMPLE_TOKEN}\r\n`;

export interface Quantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly count: number;
}

export interface StoreBenchResult {
  readonly series: number;
  readonly slots: number;
  readonly samples: number;
  /** Resident memory before the first sample, with all of them, and after a restart. */
  readonly emptyBytes: number;
  readonly residentBytes: number;
  readonly restartedBytes: number;
  readonly logBytes: number;
  /** From the start of the process to its first answer, after `kill -9`. */
  readonly restartMs: number;
  /** Small writes, without and with a snapshot under way. */
  readonly quietWrites?: Quantiles;
  readonly snapshotWrites?: Quantiles;
  /** 48 hours of one series. */
  readonly read: Quantiles;
  readonly blocks: BlockFigures;
}

export async function runStoreBench(
  args: BenchArguments,
): Promise<StoreBenchResult> {
  const slots = args.small ? 70 : DAY_SLOTS;
  const writeMs = args.small ? 1500 : 20_000;
  const load = new TraceLoad(args.series ?? (args.small ? 900 : 100_000));
  const series = load.seriesCount;
  const readMetric = Object.keys(load.metrics)[0]!;
  const endSec = Math.floor(nowSec() / STEP_SEC) * STEP_SEC - 3600;
  const startSec = endSec - slots * STEP_SEC;
  const settings: StoreSettings = {
    metrics: load.metrics,
    store: { "memory-cap": -1, "num-workers": SHARDS },
  };
  const blocks = measureBlocks();
  await using server = await DurableServer.create();
  await server.start(settings);
  await restMs(REST_MS);
  const emptyBytes = await residentBytes(server.child.pid);
  const { samples, elapsedMs } = await fill(server, load, startSec, slots);
  print(
    `\n${series} series: loaded ${samples} samples in ${
      (elapsedMs / 1000).toFixed(1)
    } s`,
  );
  await fillTwoDays(server, readMetric, endSec);
  await restMs(REST_MS);
  const resident = await residentBytes(server.child.pid);
  const logBytes = await counter(server, "ringstore_log_bytes_total");

  await server.kill();
  const restartAt = monotonicMs();
  await server.start({
    ...settings,
    // The shortest there is: a snapshot follows the other.
    store: { ...settings.store, "checkpoint-interval": "1s" },
  });
  const restartMs = monotonicMs() - restartAt;
  const read = await timeReads(server, readMetric, endSec);
  const writes = await timeWrites(server, load, endSec, writeMs);
  await restMs(REST_MS);
  const restartedBytes = await residentBytes(server.child.pid);
  await server.stop();
  const result: StoreBenchResult = {
    series,
    slots,
    samples,
    emptyBytes,
    residentBytes: resident,
    restartedBytes,
    logBytes,
    restartMs,
    ...writes,
    read,
    blocks,
  };
  for (const [what, number] of storeRows(result)) {
    print(`  ${what.padEnd(58)} ${number}`);
  }
  return result;
}

/** The lines of the table: what was measured, and its number with the unit. */
export function storeRows(result: StoreBenchResult): [string, string][] {
  const { samples, emptyBytes, blocks } = result;
  const perSample = (bytes: number) =>
    `${((bytes - emptyBytes) / samples).toFixed(2)} bytes a sample`;
  const times = (found: Quantiles | undefined) =>
    found === undefined
      ? "-"
      : `p50 ${found.p50Ms.toFixed(2)}, p99 ${found.p99Ms.toFixed(2)} ms`;
  return [
    [
      "memory over that of the empty process, at rest",
      perSample(
        result.residentBytes,
      ),
    ],
    [
      "the same after a restart and writes since",
      perSample(
        result.restartedBytes,
      ),
    ],
    ["empty process", `${(emptyBytes / 1e6).toFixed(0)} MB`],
    [
      "sealed samples, headers and rounding included",
      `${blocks.bytesPerValue.toFixed(2)} bytes a value`,
    ],
    [
      "encode / decode of them",
      `${blocks.encodeNs.toFixed(0)} / ${blocks.decodeNs.toFixed(1)} ns a slot`,
    ],
    ["log", `${(result.logBytes / samples).toFixed(2)} bytes a sample`],
    [
      "restart after kill -9, snapshot and log, until ready",
      `${(result.restartMs / 1000).toFixed(1)} s, ${
        (samples / result.restartMs / 1000).toFixed(0)
      } M samples/s`,
    ],
    ["writes of some 100 samples", times(result.quietWrites)],
    ["the same while a snapshot is written", times(result.snapshotWrites)],
    ["48 h of one series", times(result.read)],
  ];
}

async function fill(
  server: DurableServer,
  load: TraceLoad,
  startSec: number,
  slots: number,
): Promise<{ samples: number; elapsedMs: number }> {
  const startedMs = monotonicMs();
  let samples = 0;
  await withConnection(server, async (connection) => {
    // The next body is made while the server works on the one before.
    let posted = Promise.resolve();
    for (let slot = 0; slot < slots; slot++) {
      for (const body of load.bodies(slot, startSec + slot * STEP_SEC)) {
        await posted;
        posted = post(connection, body.text);
        // A request that fails is reported with the next.
        posted.catch(() => {});
        samples += body.samples;
      }
    }
    await posted;
  });
  return { samples, elapsedMs: monotonicMs() - startedMs };
}

/** The host that is read has all of its retention. */
async function fillTwoDays(
  server: DurableServer,
  metric: string,
  endSec: number,
): Promise<void> {
  const slots = 2 * DAY_SLOTS - 70;
  const lines = Array.from(
    { length: slots },
    (_, i) =>
      `${metric},cluster=${REAL_JOB_CLUSTER},hostname=long value=${i % 997} ${
        endSec - (slots - i) * STEP_SEC
      }`,
  );
  await withConnection(
    server,
    (connection) => post(connection, lines.join("\n")),
  );
}

async function timeReads(
  server: DurableServer,
  metric: string,
  endSec: number,
): Promise<Quantiles> {
  const body = JSON.stringify({
    cluster: REAL_JOB_CLUSTER,
    from: endSec - 2 * DAY_SLOTS * STEP_SEC,
    to: endSec,
    "with-stats": false,
    "with-data": true,
    "with-padding": false,
    queries: [{ metric, host: "long", aggreg: false, resolution: 0 }],
  });
  const request = encodeRequest("POST", "/api/query", AUTHORIZATION, body);
  return await withConnection(server, async (connection) => {
    const times: number[] = [];
    for (let i = 0; i < READS; i++) {
      const startedMs = monotonicMs();
      const { bodyBytes, status } = await connection.exchange(request);
      times.push(monotonicMs() - startedMs);
      if (status !== 200 || bodyBytes < DAY_SLOTS) {
        throw new Error(`a read was answered ${status}, ${bodyBytes} bytes`);
      }
    }
    return quantilesOf(times);
  });
}

/** Small writes one after the other, sorted by whether a snapshot was under way. */
async function timeWrites(
  server: DurableServer,
  load: TraceLoad,
  endSec: number,
  forMs: number,
): Promise<Pick<StoreBenchResult, "quietWrites" | "snapshotWrites">> {
  const quiet: number[] = [];
  const busy: number[] = [];
  await withConnection(server, async (connection) => {
    const untilMs = monotonicMs() + forMs;
    for (let slot = 0; monotonicMs() < untilMs; slot++) {
      const timeSec = endSec + slot * STEP_SEC;
      for (const { text } of load.bodies(slot, timeSec, SMALL_BODY_CHARS)) {
        const wasBusy = isSnapshotting(server);
        const startedMs = monotonicMs();
        if (startedMs >= untilMs) return;
        await post(connection, text);
        const tookMs = monotonicMs() - startedMs;
        (wasBusy || isSnapshotting(server) ? busy : quiet).push(tookMs);
        await restMs(WRITE_EVERY_MS);
      }
    }
  });
  return {
    ...(quiet.length > 0 ? { quietWrites: quantilesOf(quiet) } : {}),
    ...(busy.length > 0 ? { snapshotWrites: quantilesOf(busy) } : {}),
  };
}

/** A snapshot has its name only once it is finished. */
function isSnapshotting(server: DurableServer): boolean {
  for (let shard = 0; shard < SHARDS; shard++) {
    const directory = server.shardDirectory(SHARDS, shard);
    for (const { name } of Deno.readDirSync(directory)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) return true;
    }
  }
  return false;
}

async function post(connection: RawConnection, text: string): Promise<void> {
  const request = encodeRequest("POST", "/api/write", AUTHORIZATION, text);
  const { status, body } = await connection.exchange(request, true);
  if (status === 200) return;
  const answer = new TextDecoder().decode(body);
  throw new Error(`a write was answered with ${status}: ${answer}`);
}

/** The sum of a counter over its labels. */
async function counter(server: DurableServer, name: string): Promise<number> {
  const { text } = await server.client.send({
    method: "GET",
    path: "/metrics",
  });
  const values = text.split("\n")
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  if (values.length === 0) throw new Error(`/metrics has no ${name}`);
  return values.reduce((sum, value) => sum + value, 0);
}

async function withConnection<T>(
  server: DurableServer,
  use: (connection: RawConnection) => Promise<T>,
): Promise<T> {
  const connection = await RawConnection.open(Number(new URL(server.url).port));
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

function quantilesOf(times: readonly number[]): Quantiles {
  return {
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    count: times.length,
  };
}

function restMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const result = await runStoreBench(args);
  if (args.out !== undefined) await writeResult(args.out, result);
}
