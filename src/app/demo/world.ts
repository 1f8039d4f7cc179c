/**
 * A made-up cluster for the demo, the journeys and the benchmark of the pages: its
 * nodes, its `cluster.json`, its jobs and what they measure. The same arguments make
 * the same world. Pure.
 */

export const DEMO_CLUSTER = "demo";
const THREADS = 32;
const SOCKETS = 2;
const GPUS = 4;
/** Nodes of the second sub-cluster, as a share of all. */
const GPU_SHARE = 0.1;

/** The work of a job on its nodes, as shares of the peaks. */
interface Character {
  readonly load: number;
  readonly flops: number;
  readonly bandwidth: number;
  readonly memory: number;
  readonly network: number;
  /** Seconds between its phases. */
  readonly period: number;
}

export interface DemoJob {
  readonly jobId: number;
  readonly name: string;
  readonly user: string;
  readonly project: string;
  readonly hosts: readonly string[];
  readonly startSec: number;
  /** Absent: it runs. */
  readonly stopSec?: number;
  readonly state: string;
  readonly character: Character;
  /** Nodes that fall out of step at a moment. */
  readonly sick?: {
    readonly hosts: readonly string[];
    readonly sinceSec: number;
  };
}

export interface DemoWorld {
  readonly hosts: readonly string[];
  readonly gpuHosts: ReadonlySet<string>;
  readonly idle: string;
  readonly down: string;
  readonly silent: string;
  readonly jobs: readonly DemoJob[];
  readonly sickJobId: number;
  readonly clusterJson: unknown;
}

interface DemoSize {
  readonly nodes: number;
  /** How far back its jobs began. */
  readonly hours: number;
  readonly nowSec: number;
}

const CHARACTERS: readonly (Character & { readonly name: string })[] = [
  {
    name: "gromacs_md",
    load: 0.97,
    flops: 0.42,
    bandwidth: 0.25,
    memory: 0.2,
    network: 0.35,
    period: 400,
  },
  {
    name: "openfoam",
    load: 0.95,
    flops: 0.08,
    bandwidth: 0.82,
    memory: 0.55,
    network: 0.3,
    period: 900,
  },
  {
    name: "vasp_relax",
    load: 0.98,
    flops: 0.55,
    bandwidth: 0.45,
    memory: 0.6,
    network: 0.5,
    period: 1500,
  },
  {
    name: "python_prep",
    load: 0.06,
    flops: 0.004,
    bandwidth: 0.02,
    memory: 0.15,
    network: 0.01,
    period: 600,
  },
  {
    name: "lbm_solver",
    load: 0.96,
    flops: 0.2,
    bandwidth: 0.9,
    memory: 0.4,
    network: 0.2,
    period: 240,
  },
  {
    name: "train_net",
    load: 0.35,
    flops: 0.1,
    bandwidth: 0.2,
    memory: 0.7,
    network: 0.15,
    period: 300,
  },
];
const ENDS = [
  "completed",
  "completed",
  "completed",
  "failed",
  "timeout",
  "cancelled",
];

/** Numbers below 1 that look like chance and are the same each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function demoWorld({ nodes, hours, nowSec }: DemoSize): DemoWorld {
  const hosts = Array.from({ length: nodes }, (_, i) => hostName(i + 1));
  const gpus = Math.max(1, Math.round(nodes * GPU_SHARE));
  const gpuHosts = new Set(hosts.slice(-gpus));
  // The last nodes without GPUs are those with a fate of their own.
  const [idle, down, silent] = hosts.slice(-gpus - 3, -gpus);
  const free = hosts.slice(0, -gpus - 3);
  const jobs = [
    ...jobsOn(free, hours, nowSec, false),
    ...jobsOn([...gpuHosts], hours, nowSec, true),
  ];
  const sick = makeSick(jobs, nowSec);
  return {
    hosts,
    gpuHosts,
    idle: idle!,
    down: down!,
    silent: silent!,
    jobs: jobs.map((job) => job.jobId === sick.jobId ? sick : job),
    sickJobId: sick.jobId,
    clusterJson: clusterJson(nodes, gpus),
  };
}

function hostName(number: number): string {
  return `n${String(number).padStart(3, "0")}`;
}

/** Blocks of neighbouring nodes, each with one job after the other until now. */
function jobsOn(
  hosts: readonly string[],
  hours: number,
  nowSec: number,
  hasGpus: boolean,
): DemoJob[] {
  const chance = seeded(hosts.length * 31 + (hasGpus ? 7 : 1));
  const jobs: DemoJob[] = [];
  const first = hasGpus ? 70_001 : 40_001;
  const sizes = hasGpus ? [1, 2] : [16, 8, 4, 1, 2, 8, 1];
  for (let at = 0, block = 0; at < hosts.length; block++) {
    const size = Math.min(sizes[block % sizes.length]!, hosts.length - at);
    const block_ = hosts.slice(at, at + size);
    at += size;
    // The first block has one job that has run for a while and runs on.
    const isFirst = block === 0 && !hasGpus;
    const began = isFirst ? 0.6 : 0.8 + 0.15 * chance();
    let start = nowSec - Math.round(hours * 3600 * began);
    while (start < nowSec - 120) {
      const jobId = first + jobs.length;
      const character = hasGpus
        ? CHARACTERS[5]!
        : CHARACTERS[Math.floor(chance() * 5)]!;
      const length = Math.round(
        hours * 3600 * (isFirst ? 2 : 0.15 + 0.8 * chance()),
      );
      const stop = start + length;
      const user = Math.floor(chance() * 5);
      jobs.push({
        jobId,
        name: character.name,
        user: ["demo-user", "alice", "bob", "carol", "dave"][user]!,
        project: [
          "p-climate",
          "p-climate",
          "p-flow",
          "p-flow",
          "p-chem",
        ][user]!,
        hosts: block_,
        startSec: start,
        ...(stop < nowSec - 60 ? { stopSec: stop } : {}),
        state: stop < nowSec - 60
          ? ENDS[Math.floor(chance() * ENDS.length)]!
          : "running",
        character,
      });
      start = stop + 30 + Math.round(60 * chance());
    }
  }
  return jobs;
}

/** The first job gets nodes that stand still since a third of its time. */
function makeSick(jobs: readonly DemoJob[], nowSec: number): DemoJob {
  const first = jobs[0]!;
  const { hosts, startSec } = first;
  const count = Math.max(1, Math.floor(hosts.length / 6));
  return {
    ...first,
    name: "lbm_solver",
    character: CHARACTERS[4]!,
    sick: {
      hosts: hosts.slice(2, 2 + count),
      sinceSec: startSec + Math.round((nowSec - startSec) * 0.3),
    },
  };
}

/** The job that a host has at a moment. */
export function jobAt(
  jobs: readonly DemoJob[],
  sec: number,
): DemoJob | undefined {
  return jobs.find(({ startSec, stopSec }) =>
    sec >= startSec && (stopSec === undefined || sec < stopSec)
  );
}

/** The request that tells of a job's start. */
export function startRequest(job: DemoJob, world: DemoWorld): unknown {
  const hasGpus = world.gpuHosts.has(job.hosts[0]!);
  const numHwthreads = job.hosts.length * THREADS;
  return {
    jobId: job.jobId,
    cluster: DEMO_CLUSTER,
    user: job.user,
    project: job.project,
    partition: hasGpus ? "gpu" : "main",
    startTime: job.startSec,
    submitTime: job.startSec - 600,
    walltime: 6 * 3600,
    numNodes: job.hosts.length,
    numHwthreads,
    ...(hasGpus ? { numAcc: job.hosts.length * GPUS } : {}),
    smt: 1,
    shared: "none",
    resources: job.hosts.map((hostname) => ({
      hostname,
      ...(hasGpus ? { accelerators: gpuIds() } : {}),
    })),
    metaData: {
      jobName: job.name,
      jobScript: `#!/bin/bash -l
#SBATCH --nodes=${job.hosts.length} --time=06:00:00
#SBATCH --job-name=${job.name}

module load ${job.name.split("_")[0]}
srun ./${job.name} --steps 200000
`,
    },
  };
}

export function stopRequest(job: DemoJob): unknown {
  return {
    jobId: job.jobId,
    cluster: DEMO_CLUSTER,
    startTime: job.startSec,
    stopTime: job.stopSec,
    jobState: job.state,
  };
}

export function gpuIds(): string[] {
  return Array.from({ length: GPUS }, (_, i) => `00000000:${i + 1}0:00.0`);
}

/** All that `cluster.json` says: units, thresholds, topology. */
function clusterJson(nodes: number, gpus: number): unknown {
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i);
  const half = THREADS / SOCKETS;
  const topology = {
    node: range(0, THREADS),
    socket: [range(0, half), range(half, THREADS)],
    memoryDomain: [range(0, half), range(half, THREADS)],
    core: range(0, THREADS).map((thread) => [thread]),
  };
  const value = (base: string, number: number) => ({
    unit: { base, prefix: "G" },
    value: number,
  });
  const subCluster = (name: string, from: number, to: number) => ({
    name,
    nodes: `n[${String(from).padStart(3, "0")}-${String(to).padStart(3, "0")}]`,
    processorType: "Made-up processor, 2 sockets of 16 cores",
    socketsPerNode: SOCKETS,
    coresPerSocket: half,
    threadsPerCore: 1,
    flopRateScalar: value("F/s", 180),
    flopRateSimd: value("F/s", 2800),
    memoryBandwidth: value("B/s", 340),
    topology,
  });
  return {
    name: DEMO_CLUSTER,
    subClusters: [
      subCluster("main", 1, nodes - gpus),
      {
        ...subCluster("gpu", nodes - gpus + 1, nodes),
        topology: {
          ...topology,
          accelerators: gpuIds().map((id) => ({
            id,
            type: "Nvidia GPU",
            model: "Made-up GPU",
          })),
        },
      },
    ],
    metricConfig: METRICS.map(({ peak, ...metric }) => ({
      ...metric,
      peak,
      ...(metric.name === "acc_utilization"
        ? {
          subClusters: [{
            name: "main",
            peak,
            normal: 0,
            caution: 0,
            alert: 0,
            remove: true,
          }],
        }
        : {}),
    })),
  };
}

const METRICS = [
  {
    name: "cpu_load",
    unit: { base: "" },
    scope: "node",
    timestep: 5,
    aggregation: "avg",
    footprint: "avg",
    peak: 32,
    normal: 32,
    caution: 16,
    alert: 8,
  },
  {
    name: "flops_any",
    unit: { base: "F/s", prefix: "G" },
    scope: "socket",
    timestep: 5,
    aggregation: "sum",
    footprint: "avg",
    peak: 2800,
    normal: 600,
    caution: 120,
    alert: 30,
  },
  {
    name: "mem_bw",
    unit: { base: "B/s", prefix: "G" },
    scope: "socket",
    timestep: 5,
    aggregation: "sum",
    footprint: "avg",
    peak: 340,
    normal: 200,
    caution: 40,
    alert: 10,
  },
  {
    name: "mem_used",
    unit: { base: "B", prefix: "G" },
    scope: "node",
    timestep: 15,
    aggregation: "sum",
    footprint: "max",
    lowerIsBetter: true,
    peak: 256,
    normal: 128,
    caution: 220,
    alert: 250,
  },
  {
    name: "cpu_power",
    unit: { base: "W" },
    scope: "node",
    timestep: 15,
    aggregation: "sum",
    energy: "power",
    peak: 560,
    normal: 420,
    caution: 180,
    alert: 120,
  },
  {
    name: "net_recv",
    unit: { base: "B/s", prefix: "M" },
    scope: "node",
    timestep: 15,
    aggregation: "sum",
    peak: 12_500,
    normal: 6000,
    caution: 200,
    alert: 50,
  },
  {
    name: "acc_utilization",
    unit: { base: "%" },
    scope: "accelerator",
    timestep: 15,
    aggregation: "avg",
    footprint: "avg",
    peak: 100,
    normal: 80,
    caution: 40,
    alert: 20,
  },
] as const;
