/**
 * Ingest by NATS against ingest by HTTP of the same 737-line messages, in turn on
 * fresh servers, with the broker and the load generator on the same machine. Both
 * are told per second of time and per second of our process's processor time.
 *
 * Plain NATS has no acknowledgement, so the generator asks for the samples of a
 * round before it goes far beyond: a queue that only grows would measure memory.
 *
 * `deno task bench --only nats` runs it; with `--small` the numbers mean nothing.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { Broker } from "../tests/support/broker.ts";
import { TestClient } from "../tests/support/client.ts";
import { metric, untilConnected, untilMetric } from "../tests/support/nats.ts";
import { hasTool } from "../tests/support/tools.ts";
import type { BenchArguments } from "./support/arguments.ts";
import { drive } from "./support/drive.ts";
import { processorSec } from "./support/machine.ts";
import {
  hostName,
  LOAD_CLUSTER,
  LOAD_METRICS,
  LOAD_STEP_SEC,
  type LoadRequest,
  renderLoad,
} from "./support/load.ts";
import { median, print } from "./support/report.ts";
import { startTarget, type Target } from "./support/targets.ts";

const SEED = 20_240_607;
const SUBJECT = "bench";
/** Times of the warm-up and of what is measured, with room for both. */
const WARM_UP_BEFORE_SEC = 40 * 3600;
const MEASURED_BEFORE_SEC = 30 * 3600;
/** Rounds published beyond the last one that is known to be stored. */
const ROUNDS_AHEAD = 2;
const POLL_MS = 2;
const CONNECTIONS = 4;

export type NatsWay = "http" | "nats";

export interface NatsRow {
  readonly way: NatsWay;
  /** Samples per second, the median of the runs. */
  readonly rate: number;
  /** Samples per second of our process's processor time, the median. */
  readonly ratePerCpuSec: number;
}

interface Measured {
  readonly rate: number;
  readonly ratePerCpuSec: number;
}

/** `undefined` where there is no broker on this machine. */
export async function runNatsBench(
  args: BenchArguments,
): Promise<NatsRow[] | undefined> {
  if (!hasTool("nats")) {
    print("\nNATS: no nats-server here");
    return undefined;
  }
  const ways: readonly NatsWay[] = ["http", "nats"];
  const runs: Record<NatsWay, Measured[]> = { http: [], nats: [] };
  for (let i = 0; i < (args.repeat ?? (args.small ? 1 : 5)); i++) {
    for (const way of ways) runs[way].push(await runOnce(way, args));
  }
  const rows = ways.map((way) => ({
    way,
    rate: median(runs[way].map(({ rate }) => rate)),
    ratePerCpuSec: median(runs[way].map((run) => run.ratePerCpuSec)),
  }));
  const ratios = (key: keyof Measured) =>
    runs.nats.map((run, i) => run[key] / (runs.http[i]?.[key] ?? NaN));
  print("\n737-line messages");
  for (const { way, rate, ratePerCpuSec } of rows) {
    print(
      `  ${way.padEnd(5)} ${millions(rate)} M samples/s, ${
        millions(ratePerCpuSec)
      } M per CPU second`,
    );
  }
  print(`  nats / http: ${spread(ratios("rate"))}`);
  print(`  nats / http per CPU second: ${spread(ratios("ratePerCpuSec"))}`);
  return rows;
}

async function runOnce(
  way: NatsWay,
  args: BenchArguments,
): Promise<Measured> {
  await using broker = await Broker.start();
  const target = await startTarget("ours", {
    metrics: LOAD_METRICS,
    nats: { address: broker.address, subject: SUBJECT },
  });
  const client = new TestClient(`http://127.0.0.1:${target.port}`);
  try {
    await untilConnected(client);
    const requests = renderLoad({
      hosts: args.hosts ?? (args.small ? 4 : 100),
      hostsPerBody: 1,
      order: "host",
      seed: SEED,
      writePath: target.writePath,
      headerLines: target.headerLines,
    });
    const publisher = way === "http"
      ? undefined
      : await Publisher.open(broker.port);
    const load = (beforeSec: number, measureMs: number) => {
      const startSec = nowSec() - beforeSec;
      return publisher === undefined
        ? byHttp(target, requests, startSec, measureMs)
        : publisher.publish(client, requests, startSec, measureMs);
    };
    await load(WARM_UP_BEFORE_SEC, args.small ? 50 : 1500);
    const cpuBefore = await processorSec(target.pid);
    const before = await metric(client, "ingest_samples_total");
    const begin = monotonicMs();
    await load(MEASURED_BEFORE_SEC, args.small ? 200 : 4000);
    const seconds = (monotonicMs() - begin) / 1000;
    const samples = await metric(client, "ingest_samples_total") - before;
    const cpuSec = await processorSec(target.pid) - cpuBefore;
    if (await metric(client, "nats_dropped_messages_total") > 0) {
      throw new Error("messages were dropped: the rate means nothing");
    }
    publisher?.close();
    return { rate: samples / seconds, ratePerCpuSec: samples / cpuSec };
  } finally {
    client.close();
    await target.stop();
  }
}

async function byHttp(
  target: Target,
  requests: readonly LoadRequest[],
  startSec: number,
  measureMs: number,
): Promise<void> {
  await drive({
    port: target.port,
    requests,
    connections: CONNECTIONS,
    startSec,
    rounds: Infinity,
    warmUpMs: 0,
    measureMs,
  });
}

/** A bare connection to the broker that costs next to nothing beside it. */
class Publisher {
  readonly #connection: Deno.TcpConn;
  #published = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<Publisher> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const publisher = new Publisher(connection);
    await publisher.#write(
      new TextEncoder().encode('CONNECT {"verbose":false}\r\n'),
    );
    return publisher;
  }

  /** Resolves when the server has stored what was published. */
  async publish(
    client: TestClient,
    requests: readonly LoadRequest[],
    startSec: number,
    measureMs: number,
  ): Promise<void> {
    const stopAt = monotonicMs() + measureMs;
    const last = hostName(requests.length - 1);
    const lines = requests[0]?.lines ?? 1;
    for (let round = 0; monotonicMs() < stopAt; round++) {
      const timeSec = startSec + round * LOAD_STEP_SEC;
      for (const request of requests) {
        request.setTime(timeSec);
        await this.#write(frameOf(request));
        this.#published++;
      }
      if (round < ROUNDS_AHEAD) continue;
      await untilStored(client, last, timeSec - ROUNDS_AHEAD * LOAD_STEP_SEC);
    }
    await untilMetric(client, "nats_samples_total", this.#published * lines);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  close(): void {
    this.#connection.close();
  }
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** The request's body as the broker takes it. */
function frameOf({ bytes }: LoadRequest): Uint8Array {
  const head = DECODER.decode(bytes.subarray(0, 1024));
  const body = bytes.subarray(head.indexOf("\r\n\r\n") + 4);
  const start = ENCODER.encode(`PUB ${SUBJECT} ${body.length}\r\n`);
  const frame = new Uint8Array(start.length + body.length + 2);
  frame.set(start);
  frame.set(body, start.length);
  frame.set([13, 10], start.length + body.length);
  return frame;
}

/** Resolves when the host has a sample of that time. */
async function untilStored(
  client: TestClient,
  host: string,
  timeSec: number,
): Promise<void> {
  for (;;) {
    const { text } = await client.query({
      cluster: LOAD_CLUSTER,
      from: timeSec,
      to: timeSec + LOAD_STEP_SEC,
      "with-padding": false,
      "with-stats": false,
      queries: [{ metric: "cpu_load", host }],
    });
    if (/"data":\[\d/.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2);
}

function spread(ratios: readonly number[]): string {
  const each = ratios.map((ratio) => ratio.toFixed(2)).join(" ");
  return `${median(ratios).toFixed(2)} (${each})`;
}
