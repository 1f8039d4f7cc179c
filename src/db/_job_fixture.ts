/** Jobs for tests: everything that a test does not name is the same in all of them. */
import type { JobNumber } from "../base/job_number.ts";
import type { NewJob } from "./job_row.ts";

/** Returns a job for tests, with defaults for all values that are not given. */
export function newJob(job: Partial<NewJob> & { jobId: JobNumber }): NewJob {
  return {
    cluster: "alpha",
    subCluster: "cpu",
    user: "eve",
    project: "p1",
    partition: "",
    jobState: "running",
    shared: "none",
    monitoringStatus: 1,
    submitTime: 0,
    startTime: 1_000_000,
    duration: 0,
    walltime: 0,
    arrayJobId: 0,
    numNodes: 1,
    numHwthreads: 0,
    numAcc: 0,
    smt: 0,
    requestedMemory: 0,
    energy: 0,
    energyFootprint: null,
    footprint: null,
    resources: [{ hostname: "a0101" }],
    metaData: null,
    ...job,
  };
}
