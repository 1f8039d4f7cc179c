/**
 * A million jobs of a made-up centre, the same in every run: three clusters, few users
 * and projects with much of the load and many with little, as it is in life.
 */
import type { JobState, NewJob, TagKey } from "../../src/db/job_row.ts";
import { Random } from "./random.ts";

const SEED = 2_026_001;
export const JOB_LOAD_FROM_SEC = 1_600_000_000;
export const JOB_LOAD_SPAN_SEC = 3 * 365 * 86400;

const PROJECTS = 400;
const USERS_PER_PROJECT = 6;
/** Jobs at the end that are still running. */
const RUNNING = 2000;

/** Of a thousand jobs. */
const STATES: readonly (readonly [JobState, number])[] = [
  ["completed", 800],
  ["failed", 100],
  ["timeout", 50],
  ["cancelled", 40],
  ["out_of_memory", 8],
  ["node_fail", 2],
];

const JOB_SCRIPT = "#!/bin/bash\n#SBATCH --nodes=4 --time=24:00:00\n"
  .padEnd(800, "srun ./solver --input case.in\n");

export function projectName(rank: number): string {
  return `p${String(rank).padStart(4, "0")}`;
}

export function userName(project: number, user: number): string {
  return `${projectName(project)}u${user}`;
}

export interface LoadedJob {
  readonly job: NewJob;
  readonly tags: readonly TagKey[];
}

/** `count` jobs in the order of their start. */
export function* jobLoad(count: number): Generator<LoadedJob> {
  const random = new Random(SEED);
  for (let i = 0; i < count; i++) {
    const part = i / count * JOB_LOAD_SPAN_SEC;
    const job = makeJob(random, i, JOB_LOAD_FROM_SEC + Math.floor(part));
    const isRunning = i >= count - Math.min(RUNNING, count / 10);
    const tags = i % 10 === 0
      ? [{ type: "app", name: `app${i % 70}`, scope: "global" }]
      : [];
    yield isRunning
      ? { job: { ...job, jobState: "running", monitoringStatus: 1 }, tags }
      : { job, tags };
  }
}

/** A running job that is not among those of {@linkcode jobLoad}. */
export function startingJob(i: number): NewJob {
  const startTime = JOB_LOAD_FROM_SEC + JOB_LOAD_SPAN_SEC + i;
  const job = makeJob(new Random(SEED + i), 10_000_000 + i, startTime);
  return { ...job, jobState: "running", monitoringStatus: 1 };
}

function makeJob(random: Random, index: number, startTime: number): NewJob {
  const project = skewed(random, PROJECTS);
  const duration = random.below(86400);
  const numNodes = 1 + random.below(2) * random.below(8);
  return {
    jobId: 100_000 + index,
    cluster: pick(random, [["fritz", 600], ["alex", 300], ["emmy", 100]]),
    subCluster: "main",
    user: userName(project, skewed(random, USERS_PER_PROJECT)),
    project: projectName(project),
    partition: "work",
    jobState: pick(random, STATES),
    shared: "none",
    monitoringStatus: 3,
    submitTime: startTime - random.below(86400),
    startTime,
    duration,
    walltime: 86400,
    arrayJobId: 0,
    numNodes,
    numHwthreads: numNodes * 72,
    numAcc: 0,
    smt: 1,
    requestedMemory: 0,
    energy: duration / 1000,
    energyFootprint: { cpu_power: duration / 2000 },
    footprint: {
      cpu_load_avg: random.below(7200) / 100,
      flops_any_avg: random.below(100_000) / 100,
      mem_bw_avg: random.below(40_000) / 100,
    },
    resources: Array.from({ length: numNodes }, () => ({
      hostname: `f${String(random.below(1000)).padStart(4, "0")}`,
    })),
    metaData: { jobName: `case ${index}`, jobScript: JOB_SCRIPT },
  };
}

/** Rank 0 most often; the chance falls with the rank. */
function skewed(random: Random, count: number): number {
  const uniform = (1 + random.below(1_000_000)) / 1_000_000;
  return Math.min(count - 1, Math.floor(count ** uniform - 1));
}

function pick<Value>(
  random: Random,
  choices: readonly (readonly [Value, number])[],
): Value {
  let left = random.below(1000);
  for (const [value, weight] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  throw new Error("the weights add up to a thousand");
}
