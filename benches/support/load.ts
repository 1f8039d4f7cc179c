/**
 * The load of the upstream endpoint script as ready-made HTTP requests: hosts x
 * (17 node metrics + 10 hwthread metrics x 72 threads), 737 lines a host. The
 * text is rendered once; a round only patches digits at known places, so that
 * the generator leaves the machine to the server. Fixed seed, so runs compare.
 */
import type { MetricEntry } from "../../tests/support/server.ts";
import { Random } from "./random.ts";
import { encodeRequest } from "./raw_http.ts";

export const LOAD_CLUSTER = "fritz";
export const LOAD_STEP_SEC = 60;
export const THREADS_PER_HOST = 72;
const TIME_DIGITS = 10;
const ZERO = 48;

export const THREAD_METRICS: Readonly<Record<string, MetricEntry>> = {
  cpu_load: { frequency: 60, aggregation: null },
  cpu_user: { frequency: 60, aggregation: "avg" },
  flops_any: { frequency: 60, aggregation: "sum" },
  cpu_irq: { frequency: 60, aggregation: "avg" },
  cpu_system: { frequency: 60, aggregation: "avg" },
  ipc: { frequency: 60, aggregation: "avg" },
  cpu_idle: { frequency: 60, aggregation: "avg" },
  cpu_iowait: { frequency: 60, aggregation: "avg" },
  core_power: { frequency: 60, aggregation: "sum" },
  clock: { frequency: 60, aggregation: "avg" },
};

/** Of the metrics that exist at both levels, the node has its own samples. */
export const NODE_METRICS: Readonly<Record<string, MetricEntry>> = {
  cpu_irq: { frequency: 60, aggregation: "avg" },
  cpu_load: { frequency: 60, aggregation: null },
  mem_cached: { frequency: 60, aggregation: null },
  net_bytes_in: { frequency: 60, aggregation: null },
  cpu_user: { frequency: 60, aggregation: "avg" },
  cpu_idle: { frequency: 60, aggregation: "avg" },
  nfs4_read: { frequency: 60, aggregation: null },
  mem_used: { frequency: 60, aggregation: null },
  nfs4_write: { frequency: 60, aggregation: null },
  nfs4_total: { frequency: 60, aggregation: null },
  ib_xmit: { frequency: 60, aggregation: "sum" },
  ib_xmit_pkts: { frequency: 60, aggregation: "sum" },
  net_bytes_out: { frequency: 60, aggregation: null },
  cpu_iowait: { frequency: 60, aggregation: "avg" },
  ib_recv: { frequency: 60, aggregation: "sum" },
  cpu_system: { frequency: 60, aggregation: "avg" },
  ib_recv_pkts: { frequency: 60, aggregation: "sum" },
};

/** Not of the script: node metrics whose values have all the digits of a double. */
export const PRECISE_METRICS: Readonly<Record<string, MetricEntry>> = Object
  .fromEntries(
    Array.from(
      { length: 10 },
      (_, i) => [`precise_${i}`, { frequency: 60, aggregation: null }],
    ),
  );

export const LOAD_METRICS: Readonly<Record<string, MetricEntry>> = {
  ...THREAD_METRICS,
  ...NODE_METRICS,
  ...PRECISE_METRICS,
};

/** `host`: all lines of a host together; `metric`: the script's order, metric by metric. */
export type LineOrder = "host" | "metric";

export interface LoadOptions {
  readonly hosts: number;
  readonly hostsPerBody: number;
  readonly order: LineOrder;
  readonly seed: number;
  readonly writePath: string;
  readonly headerLines: string;
  /** Also the ten metrics with full-precision values. */
  readonly precise?: boolean;
  /** Hardware threads of a host; absent: `THREADS_PER_HOST`. 8 make 97 lines, 0 make 17. */
  readonly threads?: number;
}

export function hostName(index: number): string {
  return `f${String(index).padStart(4, "0")}`;
}

/** One request for the write endpoint whose times and values can be changed in place. */
export class LoadRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lines: number;
  readonly #timeAt: Int32Array;
  /** Places of the digits after the first of each value. */
  readonly #digitAt: Int32Array;
  readonly #random: Random;
  #time = "0".repeat(TIME_DIGITS);

  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    timeAt: number[],
    digitAt: number[],
    seed: number,
  ) {
    this.bytes = bytes;
    this.lines = timeAt.length;
    this.#timeAt = Int32Array.from(timeAt);
    this.#digitAt = Int32Array.from(digitAt);
    this.#random = new Random(seed);
  }

  /** Gives every line this time; only the digits that differ are written. */
  setTime(timeSec: number): void {
    const next = String(timeSec);
    let first = 0;
    while (first < TIME_DIGITS && next[first] === this.#time[first]) first++;
    for (let digit = first; digit < TIME_DIGITS; digit++) {
      const code = next.charCodeAt(digit);
      for (const at of this.#timeAt) this.bytes[at + digit] = code;
    }
    this.#time = next;
  }

  /** Gives every line another value with as many digits. */
  setValues(): void {
    // No digit is 0, so that the shortest form keeps its length.
    for (const at of this.#digitAt) {
      this.bytes[at] = ZERO + 1 + this.#random.below(9);
    }
  }
}

/** Renders the requests of one round, hosts in ascending order. */
export function renderLoad(options: LoadOptions): LoadRequest[] {
  const random = new Random(options.seed);
  const requests: LoadRequest[] = [];
  for (let host = 0; host < options.hosts; host += options.hostsPerBody) {
    const count = Math.min(options.hostsPerBody, options.hosts - host);
    const names = Array.from({ length: count }, (_, i) => hostName(host + i));
    requests.push(renderRequest(names, options, random));
  }
  return requests;
}

function renderRequest(
  hosts: readonly string[],
  options: LoadOptions,
  random: Random,
): LoadRequest {
  const text: string[] = [];
  const timeAt: number[] = [];
  const digitAt: number[] = [];
  let length = 0;
  for (const [series, decimals] of seriesOf(hosts, options)) {
    const value = 10 + random.below(90);
    let digits = "";
    for (let i = 0; i < decimals; i++) digits += 1 + random.below(9);
    const start = `${series} value=${value}.`;
    const line = `${start}${digits} ${"0".repeat(TIME_DIGITS)}\n`;
    for (let i = 0; i < decimals; i++) digitAt.push(length + start.length + i);
    timeAt.push(length + line.length - 1 - TIME_DIGITS);
    length += line.length;
    text.push(line);
  }
  const bytes = encodeRequest(
    "POST",
    options.writePath,
    options.headerLines,
    text.join(""),
  );
  // All text is ASCII, so characters are bytes.
  const head = bytes.length - length;
  return new LoadRequest(
    bytes,
    timeAt.map((at) => at + head),
    digitAt.map((at) => at + head),
    1 + random.below(0x7fff_ffff),
  );
}

/** Each series of these hosts as it stands in a line, with the decimals of its values. */
function* seriesOf(
  hosts: readonly string[],
  options: LoadOptions,
): Generator<[string, number]> {
  const { threads = THREADS_PER_HOST } = options;
  const groups = options.order === "host"
    ? hosts.map((host) => [host])
    : [hosts];
  for (const group of groups) {
    for (const metric of Object.keys(THREAD_METRICS)) {
      for (const host of group) {
        for (let id = 0; id < threads; id++) {
          yield [`${tagged(metric, host)},type=hwthread,type-id=${id}`, 2];
        }
      }
    }
    for (const metric of Object.keys(NODE_METRICS)) {
      for (const host of group) yield [`${tagged(metric, host)},type=node`, 2];
    }
    if (options.precise !== true) continue;
    for (const metric of Object.keys(PRECISE_METRICS)) {
      for (const host of group) yield [`${tagged(metric, host)},type=node`, 14];
    }
  }
}

function tagged(metric: string, host: string): string {
  return `${metric},cluster=${LOAD_CLUSTER},hostname=${host}`;
}
