/**
 * Values of whole nodes for the two metrics that every view of a job shows, where
 * only finer values are known (job-api 4.4). Pure.
 */
import { METRIC_SCOPES } from "../../config/clusters/metric_scope.ts";
import type {
  JobData,
  JobMetric,
  JobMetricByScope,
  Series,
  SeriesStatistics,
} from "./job_data.ts";
import { leading, stepsOf } from "./leading_nulls.ts";

/** Metrics that are sums over the parts of a node. */
const SUMMED_METRICS = ["flops_any", "mem_bw"] as const;

/** The scopes of a metric with a node scope made of the coarsest that is known. */
export function withNodeScope(
  name: string,
  scopes: JobMetricByScope,
): JobMetricByScope {
  const isSummed = SUMMED_METRICS.some((summed) => summed === name);
  const coarsest = coarsestOf(scopes);
  if (!isSummed || scopes.has("node") || coarsest === undefined) return scopes;
  return new Map([...scopes, ["node", sumOfHosts(coarsest)]]);
}

/** The same of all metrics. */
export function withNodeScopes(data: JobData): JobData {
  return new Map(
    [...data].map(([name, scopes]) => [name, withNodeScope(name, scopes)]),
  );
}

function coarsestOf(scopes: JobMetricByScope): JobMetric | undefined {
  const scope = METRIC_SCOPES.find((scope) => scopes.has(scope));
  return scope === undefined ? undefined : scopes.get(scope);
}

function sumOfHosts({ unit, timestep, series }: JobMetric): JobMetric {
  const hosts = new Map<string, Series[]>();
  for (const one of series) {
    const members = hosts.get(one.hostname);
    if (members === undefined) hosts.set(one.hostname, [one]);
    else members.push(one);
  }
  return {
    unit,
    timestep,
    series: [...hosts].map(([hostname, members]) => ({
      hostname,
      statistics: combined(members.map(({ statistics }) => statistics)),
      ...sum(members),
    })),
  };
}

/** Step by step; NaN where one member has no value. */
function sum(
  members: readonly Series[],
): Pick<Series, "leadingNulls" | "data"> {
  let [first, shortest, longest] = [0, Infinity, 0];
  for (const member of members) {
    const steps = stepsOf(member);
    first = Math.max(first, member.leadingNulls ?? 0);
    shortest = Math.min(shortest, steps);
    longest = Math.max(longest, steps);
  }
  const end = Math.max(first, shortest);
  const total = new Float64Array(longest - first).fill(NaN, end - first);
  for (const { leadingNulls = 0, data } of members) {
    for (let step = first; step < end; step++) {
      total[step - first]! += data[step - leadingNulls] ?? NaN;
    }
  }
  return { ...leading(first), data: total };
}

/** The average is that of the averages, as upstream has it. */
function combined(members: readonly SeriesStatistics[]): SeriesStatistics {
  return {
    min: Math.min(...members.map(({ min }) => min)),
    avg: members.reduce((sum, { avg }) => sum + avg, 0) / members.length,
    max: Math.max(...members.map(({ max }) => max)),
  };
}
