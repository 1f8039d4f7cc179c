/**
 * Reads the samples of a cluster from a running server, host by host, slot by slot
 * at their nominal times. What is written meanwhile may or may not be among them.
 */
import {
  type ExportPlan,
  type ExportRange,
  type HostSeries,
  planExport,
  type SlotQuestion,
} from "./export_plan.ts";
import { splitLevelName } from "../../metricstore/parquet/level_names.ts";
import { type StoreClient, StoreError } from "./store_client.ts";

/** Points of one answer, empty ones included; a few MB of JSON. */
const POINTS_MAX = 200_000;
/** The answer to a query that reads more than the server allows. */
const TOO_MANY_SAMPLES = 422;

/** The samples of one series in the range, by time. */
export interface ExportedSeries extends HostSeries {
  readonly timesSec: readonly number[];
  readonly values: readonly number[];
}

export interface ExportedHost {
  readonly host: string;
  /** Sorted by metric, then by levels. */
  readonly series: readonly ExportedSeries[];
}

/** The hosts of a cluster, sorted. */
export async function listHosts(
  client: StoreClient,
  cluster: string,
): Promise<string[]> {
  // The answer lists the question for each host, whatever the metric is.
  const { queries } = await client.query({
    cluster,
    from: 0,
    to: 0,
    "for-all-nodes": [""],
    "with-data": false,
  });
  return [...new Set((queries ?? []).map(({ host }) => host))].sort();
}

/** `undefined`: the server knows no such host. Throws a `StoreError`. */
export async function exportHost(
  client: StoreClient,
  cluster: string,
  host: string,
  range: ExportRange,
): Promise<ExportedHost | undefined> {
  const dump = await client.debug(cluster, host);
  if (dump === undefined) return undefined;
  const plan = planExport(dump, range, POINTS_MAX);
  const series = plan.series.map((one) => ({
    ...one,
    timesSec: [] as number[],
    values: [] as number[],
  }));
  for (const question of plan.questions) {
    await ask(client, cluster, host, plan, question, (index, time, value) => {
      series[index]!.timesSec.push(time);
      series[index]!.values.push(value);
    });
  }
  return { host, series };
}

async function ask(
  client: StoreClient,
  cluster: string,
  host: string,
  plan: ExportPlan,
  question: SlotQuestion,
  take: (series: number, timeSec: number, value: number) => void,
): Promise<void> {
  const { fromSec, lastSec, series } = question;
  let answer;
  try {
    answer = await client.query({
      cluster,
      from: fromSec,
      to: lastSec + 1,
      queries: series.map((index) => queryOf(host, plan.series[index]!)),
      "with-stats": false,
      "with-padding": false,
    });
  } catch (error) {
    const isTooLarge = error instanceof StoreError &&
      error.status === TOO_MANY_SAMPLES && series.length > 1;
    if (!isTooLarge) throw error;
    const half = series.length >> 1;
    for (const part of [series.slice(0, half), series.slice(half)]) {
      const smaller = { ...question, series: part };
      await ask(client, cluster, host, plan, smaller, take);
    }
    return;
  }
  series.forEach((index, i) => {
    // No entry: the series has ended since the plan was made.
    const entry = answer.results[i]?.[0];
    if (entry?.error !== undefined) {
      throw new StoreError(200, `${client.url} answers: ${entry.error}`);
    }
    entry?.data?.forEach((value, slot) => {
      const time = entry.from + slot * entry.resolution;
      if (value !== null && time <= lastSec) take(index, time, value);
    });
  });
}

/** Asks for exactly one series. */
function queryOf(host: string, { metric, levels }: HostSeries) {
  const [level, sublevel] = levels;
  if (level === undefined) return { metric, host };
  const { type, id } = splitLevelName(level);
  const above = { metric, host, type, "type-ids": [id] };
  if (sublevel === undefined) return above;
  const below = splitLevelName(sublevel);
  return { ...above, subtype: below.type, "subtype-ids": [below.id] };
}
