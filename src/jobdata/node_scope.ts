/**
 * Values of whole nodes for the two metrics that every view of a job shows, where
 * only finer values are known (job-api 4.4). Pure.
 */
import { METRIC_SCOPES } from "../cluster/metric_scope.ts";
import type {
  JobData,
  JobMetric,
  JobMetricByScope,
  Series,
  SeriesStatistics,
} from "./job_data.ts";

/** Metrics that are sums over the parts of a node. */
const SUMMED_METRICS = ["flops_any", "mem_bw"] as const;

/** The data with node scopes made of the coarsest scope that is known. */
export function withNodeScopes(data: JobData): JobData {
  const result = new Map(data);
  for (const name of SUMMED_METRICS) {
    const scopes = data.get(name);
    if (scopes === undefined || scopes.has("node")) continue;
    const coarsest = coarsestOf(scopes);
    if (coarsest === undefined) continue;
    result.set(name, new Map([...scopes, ["node", sumOfHosts(coarsest)]]));
  }
  return result;
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
      data: sum(members.map(({ data }) => data)),
    })),
  };
}

/** Step by step; NaN where one member has no value. */
function sum(members: readonly Float64Array[]): Float64Array {
  const lengths = members.map(({ length }) => length);
  const shortest = Math.min(...lengths);
  const total = new Float64Array(Math.max(...lengths)).fill(NaN, shortest);
  for (const data of members) {
    for (let i = 0; i < shortest; i++) total[i]! += data[i]!;
  }
  return total;
}

/** The average is that of the averages, as upstream has it. */
function combined(members: readonly SeriesStatistics[]): SeriesStatistics {
  return {
    min: Math.min(...members.map(({ min }) => min)),
    avg: members.reduce((sum, { avg }) => sum + avg, 0) / members.length,
    max: Math.max(...members.map(({ max }) => max)),
  };
}
