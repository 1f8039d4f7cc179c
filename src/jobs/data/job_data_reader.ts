/**
 * Reads job data from JSON text as it comes: `data.json` of the job archive, of any
 * age and size. Pure; runs on any thread.
 *
 * Old files lack much and have keys of their own: missing values become empty ones,
 * unknown keys are passed over. A `SyntaxError` names the place where the shape itself
 * is wrong.
 */
import type { Unit } from "../../config/clusters/cluster.ts";
import {
  isMetricScope,
  METRIC_SCOPES,
  type MetricScope,
} from "../../config/clusters/metric_scope.ts";
import type {
  JobMetric,
  NamedMetric,
  Series,
  SeriesStatistics,
  StatisticsSeries,
} from "./job_data.ts";
import type { JsonCursor } from "./json_cursor.ts";
import { leading } from "./leading_nulls.ts";

/** Which scopes there are of each metric. */
export type JobDataOutline = ReadonlyMap<string, readonly MetricScope[]>;

/** Passes over the values, so it is fast. */
export async function readOutline(
  cursor: JsonCursor,
): Promise<JobDataOutline> {
  const outline = new Map<string, MetricScope[]>();
  await cursor.entries("job data", async (name) => {
    const scopes: MetricScope[] = [];
    outline.set(name, scopes);
    await cursor.entries(name, async (scope) => {
      scopes.push(scopeOf(name, scope));
      await cursor.skip();
    });
  });
  await cursor.end();
  return outline;
}

/**
 * Calls `take` with each metric that has a wanted scope, one at a time, in the order
 * of the text.
 */
export async function readMetrics(
  cursor: JsonCursor,
  isWanted: (name: string, scope: MetricScope) => boolean,
  take: (metric: NamedMetric) => Promise<void> | void,
): Promise<void> {
  await cursor.entries("job data", async (name) => {
    const scopes = new Map<MetricScope, JobMetric>();
    let isEmpty = true;
    await cursor.entries(name, async (word) => {
      isEmpty = false;
      const scope = scopeOf(name, word);
      if (isWanted(name, scope)) {
        scopes.set(scope, await readJobMetric(cursor, `${name}.${scope}`));
      } else await cursor.skip();
    });
    if (isEmpty || scopes.size > 0) await take({ name, scopes });
  });
  await cursor.end();
}

function scopeOf(name: string, word: string): MetricScope {
  if (isMetricScope(word)) return word;
  throw new SyntaxError(
    `${name}.${word}: expected one of ${METRIC_SCOPES.join(", ")}`,
  );
}

async function readJobMetric(
  cursor: JsonCursor,
  at: string,
): Promise<JobMetric> {
  let unit: Unit = { base: "" };
  let timestep: unknown;
  let statisticsSeries: StatisticsSeries | undefined;
  const series: Series[] = [];
  await cursor.entries(at, async (key) => {
    if (key === "unit") unit = unitOf(await cursor.value(), `${at}.unit`);
    else if (key === "timestep") timestep = await cursor.value();
    else if (key === "series") {
      await cursor.items(`${at}.series`, async (i) => {
        series.push(await readSeries(cursor, `${at}.series.${i}`));
      });
    } else if (key === "statisticsSeries") {
      statisticsSeries = await readStatisticsSeries(cursor, `${at}.${key}`);
    } else await cursor.skip();
  });
  if (!Number.isInteger(timestep) || Number(timestep) < 1) {
    throw new SyntaxError(`${at}.timestep: expected seconds, at least 1`);
  }
  return {
    unit,
    timestep: Number(timestep),
    series,
    ...(statisticsSeries === undefined ? {} : { statisticsSeries }),
  };
}

/** Also a mere text, as archives before units had prefixes. */
function unitOf(json: unknown, at: string): Unit {
  if (json === null) return { base: "" };
  if (typeof json === "string") return { base: json };
  const { base, prefix } = objectOf(json, at);
  return {
    base: textOf(base),
    ...(textOf(prefix) === "" ? {} : { prefix: textOf(prefix) }),
  };
}

async function readSeries(cursor: JsonCursor, at: string): Promise<Series> {
  let hostname: unknown;
  let id: unknown;
  let statistics: SeriesStatistics = { min: 0, avg: 0, max: 0 };
  let values: Pick<Series, "leadingNulls" | "data"> = {
    data: new Float64Array(0),
  };
  await cursor.entries(at, async (key) => {
    if (key === "hostname") hostname = await cursor.value();
    else if (key === "id") id = await cursor.value();
    else if (key === "statistics") {
      statistics = statisticsOf(await cursor.value(), `${at}.statistics`);
    } else if (key === "data") {
      const read = await cursor.values(`${at}.data`);
      if (read === null) return;
      values = { ...leading(read.leadingNulls), data: read.data };
    } else await cursor.skip();
  });
  if (typeof hostname !== "string") {
    throw new SyntaxError(`${at}.hostname: expected a text`);
  }
  return {
    hostname,
    ...(id === undefined || id === null ? {} : { id: String(id) }),
    statistics,
    ...values,
  };
}

function statisticsOf(json: unknown, at: string): SeriesStatistics {
  const { min, avg, max } = json === null ? {} : objectOf(json, at);
  const numberOf = (value: unknown) => typeof value === "number" ? value : 0;
  return { min: numberOf(min), avg: numberOf(avg), max: numberOf(max) };
}

/** `null`: there are none. */
async function readStatisticsSeries(
  cursor: JsonCursor,
  at: string,
): Promise<StatisticsSeries | undefined> {
  const lists = new Map<string, Float64Array | null>();
  let percentiles: Map<string, Float64Array> | undefined;
  const list = async (place: string) => {
    const read = await cursor.values(place);
    return read && padded(read.leadingNulls, read.data);
  };
  if (await cursor.takeNull()) return undefined;
  await cursor.entries(at, async (key) => {
    if (key === "percentiles") {
      if (await cursor.takeNull()) return;
      const byRank = percentiles = new Map();
      await cursor.entries(`${at}.${key}`, async (rank) => {
        const values = await list(`${at}.${key}.${rank}`);
        byRank.set(rank, values ?? new Float64Array(0));
      });
    } else if (["mean", "median", "min", "max"].includes(key)) {
      lists.set(key, await list(`${at}.${key}`));
    } else await cursor.skip();
  });
  const of = (key: string) => lists.get(key) ?? null;
  return {
    ...(percentiles === undefined ? {} : { percentiles }),
    mean: of("mean"),
    median: of("median"),
    min: of("min"),
    max: of("max"),
  };
}

/** They belong to one another step by step, so they stay as long as they are. */
function padded(nulls: number, data: Float64Array): Float64Array {
  if (nulls === 0) return data;
  const values = new Float64Array(nulls + data.length).fill(NaN, 0, nulls);
  values.set(data, nulls);
  return values;
}

function objectOf(json: unknown, at: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new SyntaxError(`${at}: expected an object`);
  }
  return json as Record<string, unknown>;
}

function textOf(json: unknown): string {
  return typeof json === "string" ? json : "";
}
