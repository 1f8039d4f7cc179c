/** The services of the job API on a directory and a database of their own. */
import { readClusterFile } from "../../src/config/clusters/cluster_file.ts";
import { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import type { MetricEngine } from "../../src/metricstore/engine/metric_engine.ts";
import { JobArchiveClient } from "../../src/jobs/archive/job_archive_client.ts";
import { nowSec } from "../../src/base/clock.ts";
import { JobTimes } from "../../src/jobs/lifecycle/host_times.ts";
import { JobMetrics } from "../../src/jobs/lifecycle/job_metrics.ts";
import { PassedOverNodes } from "../../src/jobs/lifecycle/passed_over_nodes.ts";
import { JobReads } from "../../src/jobs/lifecycle/job_reads.ts";
import type {
  JobServices,
  JobTables,
} from "../../src/jobs/lifecycle/services.ts";

const EMMY = new URL("../testdata/clusters/emmy.json", import.meta.url);

/** Cluster `emmy`, no jobs, and nothing in the background. Close its archive. */
export async function testJobs(options: {
  readonly tables: JobTables;
  readonly engine: MetricEngine;
  readonly directory: string;
}): Promise<JobServices> {
  const { tables, engine, directory } = options;
  const clusters = new ClusterCatalog([readClusterFile(EMMY.pathname).cluster]);
  const archive = await JobArchiveClient.open({
    root: `${directory}/job-archive`,
    validate: false,
  });
  const log = { info() {}, warn() {}, err() {} };
  return {
    ...{ tables, clusters, archive, engine, log },
    metrics: new JobMetrics({ engine, archive, clusters, onProblem() {} }),
    passedOverNodes: new PassedOverNodes(log),
    reads: new JobReads(),
    times: new JobTimes({ tables, retentionSec: 0, now: nowSec }),
    wakeArchiver() {},
    startsByHttp: true,
    machineStateDir: `${directory}/machines`,
  };
}
