/**
 * Numbers that stand for a job as a whole: statistics by metric, footprint, energy
 * (job-api 6). Pure.
 */
import type { SubCluster } from "../../config/clusters/cluster.ts";
import type { JobRow, NamedNumbers } from "../../db/job_row.ts";
import type { JobStatisticsByMetric } from "./job_answer.ts";
import type { JobData } from "./job_data.ts";

const SEC_PER_HOUR = 3600;
const W_PER_KW = 1000;

/**
 * Over the nodes of a job, of the metrics that have values of nodes. The average
 * is that of the nodes' averages, rounded to two decimals.
 */
export function jobStatistics(
  data: JobData,
  subCluster: SubCluster,
  numNodes: number,
): JobStatisticsByMetric {
  return Object.fromEntries(
    [...data].flatMap(([name, byScope]) => {
      const node = byScope.get("node");
      if (node === undefined || node.series.length === 0) return [];
      const nodes = node.series.map(({ statistics }) => statistics);
      const sum = nodes.reduce((sum, { avg }) => sum + avg, 0);
      return [[name, {
        unit: subCluster.metrics.get(name)?.unit ?? node.unit,
        avg: toHundredths(sum / numNodes),
        min: Math.min(...nodes.map(({ min }) => min)),
        max: Math.max(...nodes.map(({ max }) => max)),
      }]];
    }),
  );
}

/**
 * `<metric>_<statistic>` of the metrics that the sub-cluster itself names as
 * footprint (job-api O34); 0 of those without statistics, as upstream has it.
 */
export function jobFootprint(
  statistics: JobStatisticsByMetric,
  subCluster: SubCluster,
): NamedNumbers {
  return Object.fromEntries(
    subCluster.footprint.flatMap((name) => {
      const kind = subCluster.metrics.get(name)?.footprint ?? "";
      const values = ownValue(statistics, name);
      return kind === "" ? [] : [[`${name}_${kind}`, values?.[kind] ?? 0]];
    }),
  );
}

export interface JobEnergy {
  /** kWh by metric. */
  readonly energyFootprint: NamedNumbers;
  /** kWh. */
  readonly energy: number;
}

/**
 * Returns the energy of a job, from the sub-cluster's energy metrics that have
 * statistics. Metrics of kind `energy` count as 0, as upstream has it: how to add them
 * up is not defined.
 */
export function jobEnergy(
  statistics: JobStatisticsByMetric,
  subCluster: SubCluster,
  { numNodes, duration }: Pick<JobRow, "numNodes" | "duration">,
): JobEnergy {
  const hours = duration / SEC_PER_HOUR;
  const entries = subCluster.energyFootprint.flatMap(
    (name): [string, number][] => {
      const values = ownValue(statistics, name);
      const metric = subCluster.metrics.get(name);
      if (values === undefined || metric === undefined) return [];
      if (metric.energy !== "power") return [[name, 0]];
      return [[name, toHundredths(values.avg * numNodes * hours / W_PER_KW)]];
    },
  );
  return {
    energyFootprint: Object.fromEntries(entries),
    energy: toHundredths(entries.reduce((sum, [, kwh]) => sum + kwh, 0)),
  };
}

function ownValue<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
