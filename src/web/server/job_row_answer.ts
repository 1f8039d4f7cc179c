/** Jobs as rows of lists (web R7): with levels of their footprint (web 3.8). Pure. */
import type {
  ClusterMetric,
  SubCluster,
} from "../../config/clusters/cluster.ts";
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { ListedJob } from "../../db/job_finder.ts";
import type { TagRow } from "../../db/job_row.ts";
import { durationAt } from "../../jobs/data/job_answer.ts";
import type { FootprintAnswer, JobRowAnswer } from "../shared/answers.ts";
import { levelOf, scaleThresholds } from "../shared/levels.ts";

export interface RowContext {
  readonly clusters: Pick<ClusterCatalog, "subCluster">;
  readonly nowSec: number;
  /** Those that the caller may see. */
  readonly tags: readonly TagRow[];
}

/** The answer about a job of a list. */
export function jobRowAnswer(
  job: ListedJob,
  { clusters, nowSec, tags }: RowContext,
): JobRowAnswer {
  const subCluster = clusters.subCluster(job.cluster, job.subCluster);
  return {
    id: job.id,
    jobId: String(job.jobId),
    ...(job.arrayJobId === 0 ? {} : { arrayJobId: String(job.arrayJobId) }),
    name: job.jobName,
    user: job.user,
    project: job.project,
    cluster: job.cluster,
    subCluster: job.subCluster,
    partition: job.partition,
    state: job.jobState,
    shared: job.shared,
    monitoringStatus: job.monitoringStatus,
    submitTime: job.submitTime,
    startTime: job.startTime,
    duration: durationAt(job, nowSec),
    walltime: job.walltime,
    numNodes: job.numNodes,
    numHwthreads: job.numHwthreads,
    numAcc: job.numAcc,
    energy: job.energy,
    tags: tags.map(({ id, type, name, scope }) => ({ id, type, name, scope })),
    footprint: footprintAnswer(job, subCluster),
    note: job.note,
  };
}

/** Each statistic with the level of its metric, in the order of the names. */
function footprintAnswer(
  job: Pick<ListedJob, "footprint" | "numHwthreads" | "numNodes" | "shared">,
  subCluster: SubCluster | undefined,
): FootprintAnswer[] {
  const share = shareOfNode(job, subCluster);
  return Object.entries(job.footprint ?? {}).map(([name, value]) => {
    const at = name.lastIndexOf("_");
    const metric = at === -1 ? name : name.slice(0, at);
    const limits = subCluster?.metrics.get(metric);
    return {
      metric,
      stat: at === -1 ? "" : name.slice(at + 1),
      value,
      level: limits === undefined ? "none" : levelOf(
        value,
        scaleThresholds(thresholds(limits), limits.aggregation, share),
      ),
    };
  }).sort((a, b) => a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0);
}

/** Thresholds are for whole nodes: a shared job is compared with its part of one. */
function shareOfNode(
  { shared, numHwthreads, numNodes }: Pick<
    ListedJob,
    "shared" | "numHwthreads" | "numNodes"
  >,
  subCluster: SubCluster | undefined,
): number {
  const threads = subCluster?.topology.lists.node.length ?? 0;
  if (shared === "none" || threads === 0 || numHwthreads === 0) return 1;
  return Math.min(1, numHwthreads / (threads * Math.max(1, numNodes)));
}

function thresholds(
  { peak, normal, caution, alert, lowerIsBetter }: ClusterMetric,
) {
  return { peak, normal, caution, alert, lowerIsBetter };
}
