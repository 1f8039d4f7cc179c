/**
 * A registry of series for the tests beside this file. Its tables reserve address
 * space that is given back late, so a test file makes few and reuses them.
 */
import type { EngineOptions, MetricConfig } from "../engine/metric_engine.ts";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import { findStart, readPoints } from "../store/series_read.ts";
import { SeriesRegistry } from "./series_registry.ts";

/** Makes a registry of one cluster with these metrics, for tests. */
export function makeRegistry(
  metrics: Readonly<Record<string, MetricConfig>>,
): SeriesRegistry {
  const options: EngineOptions = {
    shards: 1,
    metrics: { defaults: metrics, clusters: {} },
    retentionSec: 0,
    maxFutureSec: 3600,
    memoryCapBytes: 0,
    maxSeries: 0,
    maxHosts: 0,
    maxNameBytes: 256,
    maxQuerySamples: 0,
    missingIdPlaceholder: true,
    persistence: undefined,
  };
  return new SeriesRegistry(
    options,
    new Int32Array(new SharedArrayBuffer(64)),
  );
}

/** A series' name on disk, of a host without levels unless told otherwise. */
export function entryOf(
  host: string,
  metric: string,
  rest: Partial<SeriesEntry> = {},
): SeriesEntry {
  return {
    instance: "",
    cluster: "c",
    host,
    type: "",
    typeId: "",
    subtype: "",
    subtypeId: "",
    metric,
    frequencySec: 1,
    ...rest,
  };
}

/** The series of that name, made if there is none. */
export function seriesOf(registry: SeriesRegistry, entry: SeriesEntry): number {
  const series = registry.resolveEntry(entry);
  if (typeof series !== "number") throw new Error(`not made: ${series}`);
  return series;
}

/** Removes every series, so that the registry can serve another run. */
export function clear(registry: SeriesRegistry): void {
  const { table } = registry;
  for (let series = 0; series < table.seriesEnd; series++) {
    if (table.isAlive(series)) registry.freeBefore(series, Infinity);
  }
  registry.recycleEnded();
}

const POINTS = new Float64Array(1 << 18);

/** Returns the points that a client reads of a series, NaN for slots without a value. */
export function read(
  registry: SeriesRegistry,
  series: number,
  fromSec: number,
  toSec: number,
  horizonSec = -Infinity,
): { fromSec: number; points: number[] } {
  const { table } = registry;
  const begin = { fromSec: 0, run: 0 };
  findStart(table, series, fromSec, horizonSec, begin);
  const { run } = begin;
  const count = readPoints(table, series, run, begin.fromSec, toSec, POINTS);
  return {
    fromSec: begin.fromSec,
    points: [...POINTS.subarray(0, count)],
  };
}
