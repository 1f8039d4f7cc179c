/**
 * Job data as JSON text: what the job API answers and what `data.json` of the job
 * archive holds. Numbers are written so that they parse back to the same double.
 * Pure; runs on any thread.
 */
import {
  isMetricScope,
  METRIC_SCOPES,
  type MetricScope,
} from "../cluster/metric_scope.ts";
import type { JsonWriter } from "../query/json_writer.ts";
import type {
  JobData,
  JobMetric,
  Series,
  SeriesStatistics,
  StatisticsSeries,
} from "./job_data.ts";

/** Writes metric → scope → JobMetric, keys in alphabetical order. */
export function writeJobData(out: JsonWriter, data: JobData): void {
  writeObject(out, sortedEntries(data), (scopes) => {
    writeObject(out, sortedEntries(scopes), (metric) => {
      writeJobMetric(out, metric);
    });
  });
}

export function writeJobMetric(out: JsonWriter, metric: JobMetric): void {
  out.raw("{");
  if (metric.statisticsSeries !== undefined) {
    out.raw(`"statisticsSeries":`);
    writeStatisticsSeries(out, metric.statisticsSeries);
    out.raw(",");
  }
  out.raw(`"unit":{"base":`);
  out.string(metric.unit.base);
  if (metric.unit.prefix !== undefined) {
    out.raw(`,"prefix":`);
    out.string(metric.unit.prefix);
  }
  out.raw(`},"series":[`);
  metric.series.forEach((series, i) => {
    if (i > 0) out.raw(",");
    writeSeries(out, series);
  });
  out.raw(`],"timestep":`);
  out.number(metric.timestep);
  out.raw("}");
}

function writeSeries(out: JsonWriter, series: Series): void {
  out.raw(`{"hostname":`);
  out.string(series.hostname);
  if (series.id !== undefined) {
    out.raw(`,"id":`);
    out.string(series.id);
  }
  const { min, avg, max } = series.statistics;
  out.raw(`,"statistics":{"min":`);
  out.number(min);
  out.raw(`,"avg":`);
  out.number(avg);
  out.raw(`,"max":`);
  out.number(max);
  out.raw(`},"data":`);
  out.array(series.data, 0, series.data.length);
  out.raw("}");
}

function writeStatisticsSeries(out: JsonWriter, of: StatisticsSeries): void {
  out.raw("{");
  if (of.percentiles !== undefined) {
    out.raw(`"percentiles":`);
    writeObject(out, of.percentiles, (values) => writeValues(out, values));
    out.raw(",");
  }
  out.raw(`"mean":`);
  writeValues(out, of.mean);
  out.raw(`,"median":`);
  writeValues(out, of.median);
  out.raw(`,"min":`);
  writeValues(out, of.min);
  out.raw(`,"max":`);
  writeValues(out, of.max);
  out.raw("}");
}

function writeValues(out: JsonWriter, values: Float64Array | null): void {
  if (values === null) out.raw("null");
  else out.array(values, 0, values.length);
}

function writeObject<Value>(
  out: JsonWriter,
  entries: Iterable<readonly [string, Value]>,
  writeValue: (value: Value) => void,
): void {
  out.raw("{");
  let written = 0;
  for (const [key, value] of entries) {
    if (written++ > 0) out.raw(",");
    out.string(key);
    out.raw(":");
    writeValue(value);
  }
  out.raw("}");
}

function sortedEntries<Value>(
  map: ReadonlyMap<string, Value>,
): (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

/**
 * What `JSON.parse` made of job data. Old files lack much and have keys of their
 * own: what is missing gets its empty value, what is not known is passed over.
 * Throws a `SyntaxError` naming the place where the shape itself is wrong.
 */
export function readJobData(json: unknown): JobData {
  const data = new Map<string, ReadonlyMap<MetricScope, JobMetric>>();
  for (const [name, scopes] of entriesOf(json, "job data")) {
    const byScope = new Map<MetricScope, JobMetric>();
    for (const [scope, metric] of entriesOf(scopes, name)) {
      const at = `${name}.${scope}`;
      if (!isMetricScope(scope)) {
        throw new SyntaxError(
          `${at}: expected one of ${METRIC_SCOPES.join(", ")}`,
        );
      }
      byScope.set(scope, readJobMetric(metric, at));
    }
    data.set(name, byScope);
  }
  return data;
}

function readJobMetric(json: unknown, at: string): JobMetric {
  const { unit, timestep, series, statisticsSeries } = objectOf(json, at);
  const { base, prefix } = unit === undefined || unit === null
    ? {}
    // Old files have the unit as one text.
    : typeof unit === "string"
    ? { base: unit, prefix: "" }
    : objectOf(unit, `${at}.unit`);
  if (!Number.isInteger(timestep) || Number(timestep) < 1) {
    throw new SyntaxError(`${at}.timestep: expected seconds, at least 1`);
  }
  return {
    unit: {
      base: textOf(base),
      ...(textOf(prefix) === "" ? {} : { prefix: textOf(prefix) }),
    },
    timestep: Number(timestep),
    series: listOf(series, `${at}.series`).map((one, i) =>
      readSeries(one, `${at}.series.${i}`)
    ),
    ...(statisticsSeries === undefined || statisticsSeries === null ? {} : {
      statisticsSeries: readStatisticsSeries(
        statisticsSeries,
        `${at}.statisticsSeries`,
      ),
    }),
  };
}

function readSeries(json: unknown, at: string): Series {
  const { hostname, id, statistics, data } = objectOf(json, at);
  if (typeof hostname !== "string") {
    throw new SyntaxError(`${at}.hostname: expected a text`);
  }
  return {
    hostname,
    ...(id === undefined || id === null ? {} : { id: String(id) }),
    statistics: readStatistics(statistics, `${at}.statistics`),
    data: valuesOf(data, `${at}.data`) ?? new Float64Array(0),
  };
}

function readStatistics(json: unknown, at: string): SeriesStatistics {
  const { min, avg, max } = json === undefined || json === null
    ? {}
    : objectOf(json, at);
  const numberOf = (value: unknown) => typeof value === "number" ? value : 0;
  return { min: numberOf(min), avg: numberOf(avg), max: numberOf(max) };
}

function readStatisticsSeries(json: unknown, at: string): StatisticsSeries {
  const { percentiles, mean, median, min, max } = objectOf(json, at);
  return {
    ...(percentiles === undefined || percentiles === null ? {} : {
      percentiles: new Map(
        entriesOf(percentiles, `${at}.percentiles`).map(([rank, values]) => [
          rank,
          valuesOf(values, `${at}.percentiles.${rank}`) ?? new Float64Array(0),
        ]),
      ),
    }),
    mean: valuesOf(mean, `${at}.mean`),
    median: valuesOf(median, `${at}.median`),
    min: valuesOf(min, `${at}.min`),
    max: valuesOf(max, `${at}.max`),
  };
}

function objectOf(json: unknown, at: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new SyntaxError(`${at}: expected an object`);
  }
  return json as Record<string, unknown>;
}

function entriesOf(json: unknown, at: string): [string, unknown][] {
  return Object.entries(objectOf(json, at));
}

function listOf(json: unknown, at: string): readonly unknown[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw new SyntaxError(`${at}: expected a list`);
  return json;
}

function textOf(json: unknown): string {
  return typeof json === "string" ? json : "";
}

function valuesOf(json: unknown, at: string): Float64Array | null {
  if (json === undefined || json === null) return null;
  const list = listOf(json, at);
  const values = new Float64Array(list.length);
  for (let i = 0; i < values.length; i++) {
    const value = list[i];
    if (value !== null && typeof value !== "number") {
      throw new SyntaxError(`${at}.${i}: expected a number or null`);
    }
    values[i] = value ?? NaN;
  }
  return values;
}
