/** Small jobs for the tests of the archive, and a directory that goes with them. */
import type { JobRow } from "../../db/job_row.ts";
import type { JobData, JobMetric } from "../data/job_data.ts";
import type { JobMeta } from "./job_meta.ts";

export const JOB: JobRow = {
  id: 17,
  jobId: 398759,
  cluster: "alpha",
  subCluster: "cpu",
  user: "eve",
  project: "p1",
  partition: "main",
  jobState: "completed",
  shared: "none",
  monitoringStatus: 1,
  submitTime: 1_649_723_000,
  startTime: 1_649_723_812,
  duration: 180,
  walltime: 3600,
  arrayJobId: 3,
  numNodes: 2,
  numHwthreads: 8,
  numAcc: 1,
  smt: 2,
  requestedMemory: 4,
  energy: 1.25,
  energyFootprint: { cpu_power: 1.25 },
  footprint: { cpu_load_avg: 1 / 3 },
  resources: [
    { hostname: "a0101", hwthreads: [0, 1], accelerators: ["00:0E.0"] },
    { hostname: "a0102", configuration: "x" },
  ],
  metaData: { jobName: "md", jobScript: "#!/bin/sh\n\u{1f600}" },
};

export const META: JobMeta = {
  job: JOB,
  tags: [{ type: "app", name: "md", scope: "global" }],
  statistics: {
    cpu_load: { unit: { base: "" }, avg: 64.5, min: 0, max: 129 },
    flops_any: { unit: { base: "F/s", prefix: "G" }, avg: 2, min: 1, max: 3 },
  },
};

/** One metric in two scopes; `steps` makes it long enough to be compressed. */
export function someData(steps: number): JobData {
  const values = Float64Array.from(
    { length: steps },
    (_, i) => i % 7 === 3 ? NaN : i / 3,
  );
  const metric = (id?: string): JobMetric => ({
    unit: { base: "F/s", prefix: "G" },
    timestep: 60,
    series: ["a0101", "a0102"].map((hostname) => ({
      hostname,
      ...(id === undefined ? {} : { id }),
      statistics: { min: 0, avg: 1 / 3, max: 3 },
      data: values.slice(),
    })),
  });
  return new Map([
    ["cpu_load", new Map([["node", metric()]] as const)],
    [
      "flops_any",
      new Map([["node", metric()], ["core", metric("0")]] as const),
    ],
  ]);
}

/** Calls with an empty directory, which is gone afterwards. */
export async function inDirectory(
  use: (root: string) => Promise<void> | void,
): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "job-archive-" });
  try {
    await use(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
