/**
 * The first minute of a centre: every line names a series that was never seen. One
 * shard in this thread, without a log; 20 hosts x 737 series, fixed seed.
 */
import { BatchTally } from "../src/metricstore/ingest/batch_tally.ts";
import { KeyTable } from "../src/metricstore/ingest/key_table.ts";
import { LineIngest } from "../src/metricstore/ingest/line_ingest.ts";
import { SlowLines } from "../src/metricstore/ingest/slow_line.ts";
import { SeriesRegistry } from "../src/metricstore/catalog/series_registry.ts";
import {
  LOAD_METRICS,
  NODE_METRICS,
  THREAD_METRICS,
  THREADS_PER_HOST,
} from "./support/load.ts";

const HOSTS = 20;
const NOW = 1_725_620_476;
const SLACK_BYTES = 64;

const OPTIONS = {
  shards: 1,
  metrics: {
    defaults: Object.fromEntries(
      Object.entries(LOAD_METRICS).map(([name, { frequency }]) => [
        name,
        { frequencySec: frequency, aggregation: null },
      ]),
    ),
    clusters: {},
  },
  maxSeries: 0,
  maxHosts: 0,
  maxNameBytes: 256,
  maxQuerySamples: 0,
  missingIdPlaceholder: true,
  persistence: undefined,
  memoryCapBytes: 0,
  retentionSec: 0,
  maxFutureSec: 3600,
} as const;

function bodyOf(run: number): Uint8Array {
  const lines: string[] = [];
  for (let host = 0; host < HOSTS; host++) {
    const tags = `cluster=fritz,hostname=f${run}-${host}`;
    for (const metric of Object.keys(NODE_METRICS)) {
      lines.push(`${metric},${tags},type=node value=1.5 ${NOW}`);
    }
    for (const metric of Object.keys(THREAD_METRICS)) {
      for (let id = 0; id < THREADS_PER_HOST; id++) {
        lines.push(
          `${metric},${tags},type=hwthread,type-id=${id} value=2.25 ${NOW}`,
        );
      }
    }
  }
  const text = new TextEncoder().encode(lines.join("\n") + "\n");
  const bytes = new Uint8Array(text.length + SLACK_BYTES);
  bytes.set(text);
  return bytes;
}

/** A body in which no series is known to a store of its own. */
function firstSight(bytes: Uint8Array): number {
  const registry = new SeriesRegistry(
    OPTIONS,
    new Int32Array(new SharedArrayBuffer(64)),
  );
  const keys = new KeyTable();
  const slow = new SlowLines(registry, keys, { shard: 0, ...OPTIONS });
  const ingest = new LineIngest(
    keys,
    slow,
    registry.table,
    OPTIONS.maxFutureSec,
  );
  const tally = new BatchTally();
  ingest.ingest(
    bytes,
    new DataView(bytes.buffer),
    0,
    bytes.length - SLACK_BYTES,
    true,
    {
      context: {
        id: 0,
        instance: "",
        defaultCluster: "",
        clusters: undefined,
        maxSeries: 0,
        encoded: new Uint8Array(),
      },
      tally,
      nowSec: NOW,
      line: 1,
      numbers: undefined,
      oldestSec: -Infinity,
      wasApplied: undefined,
      strictLine: 0,
      mayBeGivenUp: false,
      isGivenUp: false,
    },
    () => {},
  );
  return tally.stored;
}

const BODY = bodyOf(0);
const SERIES = firstSight(BODY);

Deno.bench(`${SERIES} series at first sight`, () => {
  if (firstSight(BODY) !== SERIES) throw new Error("samples are missing");
});
