/**
 * From what store or archive have of a job to what an answer shows of it. Main
 * thread; other work gets its turn after each metric.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MetricScope } from "../cluster/metric_scope.ts";
import type { JobResource } from "../db/job_row.ts";
import type {
  JobData,
  JobMetric,
  JobMetricByScope,
  Series,
} from "./job_data.ts";
import { withNodeScopes } from "./node_scope.ts";
import { resampleMetric } from "./resample.ts";
import { MIN_SERIES, statisticsSeries } from "./statistics_series.ts";

export interface JobDataView {
  /** As asked for; empty: whatever there is. */
  readonly scopes: readonly MetricScope[];
  /** Seconds between two values, if it is worth while; 0: as measured. */
  readonly resolutionSec: number;
  /** Shorter series are never thinned (`resampling.minimum-points`). */
  readonly minimumPoints: number;
}

/** Adds node scopes and series over series, thins to the resolution. */
export async function arrangeJobData(
  data: JobData,
  view: JobDataView,
): Promise<JobData> {
  const { scopes, resolutionSec, minimumPoints } = view;
  const complete = scopes.includes("node") ? withNodeScopes(data) : data;
  const arranged = new Map<string, JobMetricByScope>();
  for (const [name, byScope] of complete) {
    const scopes = new Map<MetricScope, JobMetric>();
    for (const [scope, metric] of byScope) {
      scopes.set(
        scope,
        await withStatisticsSeries(
          resampleMetric(metric, resolutionSec, minimumPoints),
        ),
      );
      await nextTurn();
    }
    arranged.set(name, scopes);
  }
  return arranged;
}

/** What is stored already stays. */
async function withStatisticsSeries(metric: JobMetric): Promise<JobMetric> {
  const { series } = metric;
  if (metric.statisticsSeries !== undefined || series.length < MIN_SERIES) {
    return metric;
  }
  return {
    ...metric,
    statisticsSeries: await statisticsSeries(series, () => nextTurn()),
  };
}

/**
 * What an archived job has of the metrics (absent: all) and scopes asked for: of a
 * metric in several scopes those asked for, or all if it has none of them; a
 * metric in one scope whatever was asked (job-api 4.4). Series come in the
 * order of the resources.
 */
export function selectStored(
  data: JobData,
  resources: readonly JobResource[],
  metrics: readonly string[] | undefined,
  scopes: readonly MetricScope[],
): JobData {
  const order = new Map(resources.map(({ hostname }, i) => [hostname, i]));
  const selected = new Map<string, JobMetricByScope>();
  for (const [name, byScope] of data) {
    if (metrics !== undefined && !metrics.includes(name)) continue;
    const wanted = [...byScope].filter(([scope]) => scopes.includes(scope));
    const kept = byScope.size > 1 && wanted.length > 0
      ? new Map(wanted)
      : byScope;
    selected.set(
      name,
      new Map([...kept].map(([scope, metric]) => [scope, {
        ...metric,
        series: [...metric.series].sort((a, b) => compareSeries(a, b, order)),
      }])),
    );
  }
  return selected;
}

/** Hosts that are no resource come last; ids that are no number after those that are. */
function compareSeries(
  a: Series,
  b: Series,
  order: ReadonlyMap<string, number>,
): number {
  const hostA = order.get(a.hostname) ?? order.size;
  const hostB = order.get(b.hostname) ?? order.size;
  if (hostA !== hostB) return hostA - hostB;
  return compareText(a.hostname, b.hostname) ||
    compareIds(a.id ?? "", b.id ?? "");
}

function compareIds(a: string, b: string): number {
  const [numberA, numberB] = [a, b].map((id) =>
    /^\d+$/.test(id) ? Number(id) : Infinity
  ) as [number, number];
  return numberA === numberB ? compareText(a, b) : numberA - numberB;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
