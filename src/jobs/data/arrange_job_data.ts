/**
 * Turns the job data of the store or the archive into the data that an answer shows.
 * Main thread; other work gets its turn after each metric.
 */
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { JobResource } from "../../db/job_row.ts";
import type {
  JobData,
  JobMetric,
  JobMetricByScope,
  NamedMetric,
  Series,
} from "./job_data.ts";
import { withNodeScope } from "./node_scope.ts";
import { resampleMetric } from "./resample.ts";
import { MIN_SERIES, statisticsSeries } from "./statistics_series.ts";
import { nextTurn } from "./turn.ts";

export interface JobDataView {
  /** The requested scopes; empty: all there are. */
  readonly scopes: readonly MetricScope[];
  /** Seconds between two values, if it is worth while; 0: as measured. */
  readonly resolutionSec: number;
  /** Shorter series are never thinned (`resampling.minimum-points`). */
  readonly minimumPoints: number;
  /** Series over series cost more than all else; pages make their own. */
  readonly withoutStatisticsSeries?: boolean | undefined;
}

/** Adds node scopes and series over series, thins to the resolution. */
export async function arrangeMetric(
  { name, scopes }: NamedMetric,
  view: JobDataView,
): Promise<NamedMetric> {
  const { resolutionSec, minimumPoints } = view;
  const complete = view.scopes.includes("node")
    ? withNodeScope(name, scopes)
    : scopes;
  const arranged = new Map<MetricScope, JobMetric>();
  for (const [scope, metric] of complete) {
    const thinned = resampleMetric(metric, resolutionSec, minimumPoints);
    arranged.set(
      scope,
      view.withoutStatisticsSeries === true
        ? thinned
        : await withStatisticsSeries(thinned),
    );
    await nextTurn();
  }
  return { name, scopes: arranged };
}

/** The same of all metrics of a job. */
export async function arrangeJobData(
  data: JobData,
  view: JobDataView,
): Promise<JobData> {
  const arranged = new Map<string, JobMetricByScope>();
  for (const [name, scopes] of data) {
    const metric = await arrangeMetric({ name, scopes }, view);
    arranged.set(name, metric.scopes);
  }
  return arranged;
}

/** Adds a series of statistics to each scope; one that is stored already stays. */
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
 * Which scopes of an archived metric are kept: of several those asked for, or all if
 * there is none of them; a single one whatever was asked (job-api 4.4).
 */
export function keptScopes(
  stored: readonly MetricScope[],
  wanted: readonly MetricScope[],
): readonly MetricScope[] {
  const found = stored.filter((scope) => wanted.includes(scope));
  return stored.length > 1 && found.length > 0 ? found : stored;
}

/** A metric with its series in the order of the resources, then of their units. */
export function inOrderOf(
  { name, scopes }: NamedMetric,
  resources: readonly JobResource[],
): NamedMetric {
  const order = new Map(resources.map(({ hostname }, i) => [hostname, i]));
  const sorted = [...scopes].map(([scope, metric]) =>
    [scope, {
      ...metric,
      series: [...metric.series].sort((a, b) => compareSeries(a, b, order)),
    }] as const
  );
  return { name, scopes: new Map(sorted) };
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
