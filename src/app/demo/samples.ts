/**
 * The samples of the demo's nodes: line protocol of one moment, or of many. Values
 * follow the job that a node has at that moment. Pure.
 */
import {
  type DemoJob,
  type DemoWorld,
  gpuIds,
  jobAt,
  seeded,
} from "./world.ts";

/** A power of two, so that places in it are found by a mask. */
const NOISE = 4096;
const FAST_SEC = 5;
const SLOW_SEC = 15;

interface Sender {
  readonly host: string;
  readonly jobs: readonly DemoJob[];
  readonly phase: number;
  /** Lines up to the value; by metric. */
  readonly fast: readonly string[];
  readonly slow: readonly string[];
  readonly gpus: readonly string[];
}

export class DemoSamples {
  readonly #senders: readonly Sender[];
  readonly #noise: Float64Array;

  constructor(world: DemoWorld) {
    const chance = seeded(4711);
    this.#noise = Float64Array.from({ length: NOISE }, () => chance() - 0.5);
    const sending = world.hosts.filter((host) =>
      host !== world.down && host !== world.silent
    );
    this.#senders = sending.map((host) => ({
      host,
      jobs: world.jobs.filter(({ hosts }) => hosts.includes(host)),
      phase: Math.floor(chance() * NOISE),
      ...prefixesOf(host, world.gpuHosts.has(host)),
    }));
  }

  /** Everything that is due at a moment, a multiple of 5 seconds. */
  linesAt(sec: number): string {
    let lines = "";
    for (const sender of this.#senders) lines += this.#linesOf(sender, sec);
    return lines;
  }

  #linesOf(sender: Sender, sec: number): string {
    const { fast, slow, gpus, jobs, host, phase } = sender;
    const job = jobAt(jobs, sec);
    const isSick = job?.sick !== undefined && sec >= job.sick.sinceSec &&
      job.sick.hosts.includes(host);
    const end = ` ${sec}\n`;
    const { load, flops, bandwidth, memory, network, period } =
      job?.character ??
        IDLE;
    const place = Math.floor(sec / FAST_SEC) + phase;
    const noise = (n: number) => this.#noise[(place * (n + 3)) & (NOISE - 1)]!;
    // Phases of computing and of writing results, as solvers have them.
    const since = sec - (job?.startSec ?? 0);
    const wave = job === undefined
      ? 1
      : since % period < period * 0.12
      ? 0.55
      : 1;
    const busy = isSick ? 0.03 : wave;
    const round = (value: number) => Math.round(value * 100) / 100;
    const work = (n: number) => busy * (1 + 0.08 * noise(n));
    let lines = fast[0]! +
      round(32 * load * (isSick ? 0.03 : 1) * (1 + 0.02 * noise(0))) + end;
    for (let socket = 0; socket < 2; socket++) {
      lines += fast[1 + socket]! + round(1400 * flops * work(1 + socket)) + end;
      lines += fast[3 + socket]! + round(170 * bandwidth * work(3 + socket)) +
        end;
    }
    if (sec % SLOW_SEC !== 0) return lines;
    const grown = Math.min(1, since / 1200);
    lines += slow[0]! +
      round(8 + 248 * memory * (job === undefined ? 1 : grown)) + end;
    lines += slow[1]! + round(120 + 380 * load * work(6)) + end;
    lines += slow[2]! + round(12_500 * network * work(7)) + end;
    for (let gpu = 0; gpu < gpus.length; gpu++) {
      const share = job === undefined ? 0 : gpu === 3 ? 0.1 : 0.85;
      lines += gpus[gpu]! + round(100 * share * Math.min(1, work(8 + gpu))) +
        end;
    }
    return lines;
  }
}

const IDLE = {
  load: 0.01,
  flops: 0,
  bandwidth: 0.004,
  memory: 0.01,
  network: 0,
  period: 600,
};

function prefixesOf(host: string, hasGpus: boolean) {
  const node = (metric: string) =>
    `${metric},hostname=${host},type=node value=`;
  const socket = (metric: string, id: number) =>
    `${metric},hostname=${host},type=socket,type-id=${id} value=`;
  return {
    fast: [
      node("cpu_load"),
      socket("flops_any", 0),
      socket("flops_any", 1),
      socket("mem_bw", 0),
      socket("mem_bw", 1),
    ],
    slow: [node("mem_used"), node("cpu_power"), node("net_recv")],
    gpus: hasGpus
      ? gpuIds().map((id) =>
        `acc_utilization,hostname=${host},type=accelerator,type-id=${id} value=`
      )
      : [],
  };
}
