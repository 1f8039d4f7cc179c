/**
 * Readers of a long and wide job beside a writer: how long the slowest write takes
 * while the metrics of all its cores are read three times at once. A job of a week on 8
 * nodes with 128 threads, the store has its last two days of minutes. A real server;
 * the load comes from this process, on the same processors.
 *
 * `deno task bench --only job-read` runs it; with `--small` the numbers mean nothing.
 */
import { generateKeyPair } from "../src/access/ed25519.ts";
import { signToken } from "../src/access/token.ts";
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { TestClient } from "../tests/support/client.ts";
import { TestServer } from "../tests/support/server.ts";
import { SlowReader } from "../tests/support/slow_reader.ts";
import type { BenchArguments } from "./support/arguments.ts";
import { print } from "./support/report.ts";

const STEP_SEC = 60;
const WEEK_SEC = 7 * 86_400;
const METRICS = ["flops_any", "mem_bw"];
const READERS = 3;

export interface JobReadResult {
  readonly readers: number;
  readonly values: number;
  /** Milliseconds, without readers and beside them. */
  readonly alone: WriteTimes;
  readonly beside: WriteTimes;
  /** Of all readers together. */
  readonly megabytes: number;
  readonly seconds: number;
}

export interface WriteTimes {
  readonly writes: number;
  readonly medianMs: number;
  readonly slowestMs: number;
}

/** Demands what it asks for. */
class BenchClient {
  readonly #client: TestClient;
  readonly #token: string;

  constructor(client: TestClient, token: string) {
    this.#client = client;
    this.#token = token;
  }

  async post(path: string, status: number, body: string): Promise<void> {
    const authorization = `Bearer ${this.#token}`;
    const answer = await this.#client.send({
      ...{ method: "POST", path, body, authorization },
    });
    if (answer.status !== status) {
      throw new Error(`${path}: ${answer.status} ${answer.text}`);
    }
  }

  close(): void {
    this.#client.close();
  }
}

/** Eight nodes of as many threads, all of them cores. */
function clusterFile(threads: number) {
  const all = Array.from({ length: threads }, (_, i) => i);
  const number = { unit: { base: "F/s" }, value: 1 };
  return {
    name: "wide",
    subClusters: [{
      name: "main",
      nodes: "w[1-8]",
      processorType: "wide",
      socketsPerNode: 1,
      coresPerSocket: threads,
      threadsPerCore: 1,
      flopRateScalar: number,
      flopRateSimd: number,
      memoryBandwidth: number,
      topology: {
        node: all,
        socket: [all],
        memoryDomain: [all],
        core: all.map((thread) => [thread]),
      },
    }],
    metricConfig: METRICS.map((name) => ({
      name,
      unit: { base: "F/s" },
      scope: "hwthread",
      timestep: STEP_SEC,
      aggregation: "sum",
      ...{ peak: 1, normal: 1, caution: 1, alert: 1 },
    })),
  };
}

export async function runJobReadBench(
  args: BenchArguments,
): Promise<JobReadResult> {
  const threads = args.small ? 4 : 128;
  const slots = args.small ? 60 : 2880;
  const last = Math.floor(nowSec() / STEP_SEC) * STEP_SEC - STEP_SEC;
  print(
    `\n${READERS} readers of a job of a week on 8 nodes x ${threads} threads`,
  );
  const pair = await generateKeyPair();
  const keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const token = await signToken(keys, {
    ...{ user: "bench", roles: ["api"], maxAgeSec: undefined },
  });
  await using server = await TestServer.start({
    metrics: {},
    main: { "jwt-public-key": pair.publicKey.base64 },
    metricStore: { "memory-cap": args.small ? 1 : 4 },
    prepare: async (directory) => {
      const root = `${directory}/job-archive`;
      await Deno.mkdir(`${root}/wide`, { recursive: true });
      await Deno.writeTextFile(`${root}/version.txt`, "3\n");
      await Deno.writeTextFile(
        `${root}/wide/cluster.json`,
        JSON.stringify(clusterFile(threads)),
      );
    },
  });
  const client = new BenchClient(new TestClient(server.url), token);
  try {
    const hosts = Array.from({ length: 8 }, (_, i) => `w${i + 1}`);
    await fill(client, { hosts, threads, slots, last });
    const startTime = last - WEEK_SEC;
    const job = {
      ...{ jobId: 1, cluster: "wide", user: "eve", project: "p1", startTime },
      numNodes: hosts.length,
      resources: hosts.map((hostname) => ({ hostname })),
    };
    await client.post("/api/jobs/start_job/", 201, JSON.stringify(job));
    const path = `/api/jobs/metrics/1?scope=core`;
    const port = Number(new URL(server.url).port);
    let isOver = false;
    const write = (count: number) =>
      measureWrites(client, last, (writes) => isOver || writes >= count);
    await write(50);
    const alone = await write(200);
    const start = monotonicMs();
    const reading = Promise.all(
      Array.from({ length: READERS }, async () => {
        const reader = await SlowReader.ask(port, path, token);
        return await reader.drain();
      }),
    ).finally(() => isOver = true);
    const beside = await write(Infinity);
    const bytes = (await reading).reduce((sum, one) => sum + one, 0);
    const result: JobReadResult = {
      readers: READERS,
      values: METRICS.length * hosts.length * threads * slots,
      alone,
      beside,
      megabytes: bytes / 1e6,
      seconds: (monotonicMs() - start) / 1000,
    };
    print(
      `  slowest of ${beside.writes} writes ${
        beside.slowestMs.toFixed(0)
      } ms, ` +
        `median ${beside.medianMs.toFixed(1)} ms; alone ` +
        `${alone.slowestMs.toFixed(0)} ms, ${alone.medianMs.toFixed(1)} ms; ` +
        `${result.megabytes.toFixed(0)} MB in ${result.seconds.toFixed(1)} s`,
    );
    return result;
  } finally {
    client.close();
  }
}

async function fill(
  client: BenchClient,
  { hosts, threads, slots, last }: {
    readonly hosts: readonly string[];
    readonly threads: number;
    readonly slots: number;
    readonly last: number;
  },
): Promise<void> {
  const rounds = 40;
  for (let from = 0; from < slots; from += rounds) {
    for (const host of hosts) {
      const lines: string[] = [];
      for (let slot = from; slot < Math.min(slots, from + rounds); slot++) {
        const time = last - (slots - 1 - slot) * STEP_SEC;
        for (const metric of METRICS) {
          for (let thread = 0; thread < threads; thread++) {
            const value = ((thread * 31 + slot * 7) % 100_000) / 7;
            lines.push(
              `${metric},cluster=wide,hostname=${host},type=hwthread,` +
                `type-id=${thread} value=${value} ${time}`,
            );
          }
        }
      }
      await client.post("/api/write", 200, lines.join("\n"));
    }
  }
}

/** One small write after the other. */
async function measureWrites(
  client: BenchClient,
  time: number,
  isEnough: (writes: number) => boolean,
): Promise<WriteTimes> {
  const times: number[] = [];
  while (!isEnough(times.length)) {
    const start = monotonicMs();
    const line = `flops_any,cluster=wide,hostname=w1,type=hwthread,type-id=0 ` +
      `value=${times.length} ${time}`;
    await client.post("/api/write", 200, line);
    times.push(monotonicMs() - start);
  }
  times.sort((a, b) => a - b);
  return {
    writes: times.length,
    medianMs: times[times.length >> 1] ?? NaN,
    slowestMs: times.at(-1) ?? NaN,
  };
}
