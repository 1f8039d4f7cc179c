/**
 * Job data as JSON text, as in answers of the job API and in `data.json` of the job
 * archive. Numbers are written so that they parse back to the same double. Pure; runs
 * on any thread.
 */
import type { JsonWriter } from "../../metricstore/query/json_writer.ts";
import type {
  JobData,
  JobMetric,
  NamedMetric,
  Series,
  StatisticsSeries,
} from "./job_data.ts";
import { writtenNulls } from "./leading_nulls.ts";

/** Values written between two steps of a generator: about a millisecond. */
const STEP_VALUES = 8192;

/** Writes metric → scope → JobMetric, keys in alphabetical order. */
export function writeJobData(out: JsonWriter, data: JobData): void {
  out.raw("{");
  let isFirst = true;
  for (const [name, scopes] of sortedEntries(data)) {
    if (!isFirst) out.raw(",");
    isFirst = false;
    inOneGo(writeNamedMetric(out, { name, scopes }));
  }
  out.raw("}");
}

/** A member of the object that job data is; scopes in alphabetical order. */
export function* writeNamedMetric(
  out: JsonWriter,
  { name, scopes }: NamedMetric,
): Generator<void> {
  out.string(name);
  let separator = ":{";
  for (const [scope, metric] of sortedEntries(scopes)) {
    out.raw(separator);
    separator = ",";
    out.string(scope);
    out.raw(":");
    yield* writeJobMetric(out, metric);
  }
  out.raw(separator === "," ? "}" : ":{}");
}

/**
 * Writes a metric in steps of a millisecond or so. Between two steps others may have
 * their turn and the bytes handed over by `out` may be sent; `out.flush()` only after
 * the last one.
 */
export function* writeJobMetric(
  out: JsonWriter,
  metric: JobMetric,
): Generator<void> {
  out.raw("{");
  if (metric.statisticsSeries !== undefined) {
    out.raw(`"statisticsSeries":`);
    yield* writeStatisticsSeries(out, metric.statisticsSeries);
    out.raw(",");
  }
  out.raw(`"unit":{"base":`);
  out.string(metric.unit.base);
  if (metric.unit.prefix !== undefined) {
    out.raw(`,"prefix":`);
    out.string(metric.unit.prefix);
  }
  out.raw(`},"series":[`);
  let isFirst = true;
  for (const series of metric.series) {
    if (!isFirst) out.raw(",");
    isFirst = false;
    yield* writeSeries(out, series);
  }
  out.raw(`],"timestep":`);
  out.number(metric.timestep);
  out.raw("}");
}

function* writeSeries(out: JsonWriter, series: Series): Generator<void> {
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
  yield* writeValues(out, series.data, series.leadingNulls);
  out.raw("}");
}

function* writeStatisticsSeries(
  out: JsonWriter,
  of: StatisticsSeries,
): Generator<void> {
  const { leadingNulls: nulls } = of;
  let separator = "{";
  if (of.percentiles !== undefined) {
    out.raw(`{"percentiles":{`);
    let isFirst = true;
    for (const [rank, values] of of.percentiles) {
      if (!isFirst) out.raw(",");
      isFirst = false;
      out.string(rank);
      out.raw(":");
      yield* writeValues(out, values, nulls);
    }
    out.raw("}");
    separator = ",";
  }
  for (const key of ["mean", "median", "min", "max"] as const) {
    out.raw(`${separator}"${key}":`);
    separator = ",";
    const values = of[key];
    if (values === null) out.raw("null");
    else yield* writeValues(out, values, nulls);
  }
  out.raw("}");
}

function* writeValues(
  out: JsonWriter,
  values: Float64Array,
  leadingNulls?: number,
): Generator<void> {
  const nulls = writtenNulls(leadingNulls);
  out.beginArray(nulls);
  for (let from = 0; from < values.length; from += STEP_VALUES) {
    if (from > 0) yield;
    out.elements(values, from, Math.min(STEP_VALUES, values.length - from));
  }
  out.endArray(nulls + values.length);
  yield;
}

/** For what is short. */
function inOneGo(steps: Iterable<void>): void {
  for (const _ of steps) continue;
}

function sortedEntries<Value>(
  map: ReadonlyMap<string, Value>,
): (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}
