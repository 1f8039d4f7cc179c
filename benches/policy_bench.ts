/**
 * What instances and access policies cost: the same lines and the same questions
 * through the engine in this process, within different scopes, in turn. Each scope
 * has an instance of its own with the same samples, and shows all of them; answers
 * are compared. Told as the median of the ratios of interleaved pairs.
 *
 * `deno task bench --only policy` runs it; with `--small` the numbers mean nothing.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import {
  type DataScope,
  DEFAULT_SCOPE,
  type LabelSelector,
} from "../src/metricstore/engine/data_scope.ts";
import type {
  JsonBody,
  QueryRequest,
  StoreEngine,
} from "../src/metricstore/engine/metric_engine.ts";
import { startEngine } from "../src/metricstore/coordinator/start_engine.ts";
import { shardOf } from "../src/metricstore/transport/messages.ts";
import type { BenchArguments } from "./support/arguments.ts";
import {
  hostName,
  LOAD_CLUSTER,
  LOAD_METRICS,
  LOAD_STEP_SEC,
  type LoadRequest,
  NODE_METRICS,
  renderLoad,
  THREADS_PER_HOST,
} from "./support/load.ts";
import { median, print, type RatioSpread, spreadOf } from "./support/report.ts";

const SEED = 419_430_401;
const SHARDS = 2;
/** Rounds of samples in one timed piece of ingest. */
const ROUNDS_PER_PIECE = 8;
const CHUNK_BYTES = 64 << 10;
/** Many short ones: the machine is rarely still for long. */
const PAIRS = 101;
const LOADED_ROUNDS = 120;

export interface PolicyRow {
  readonly work: string;
  /** Milliseconds without any limits, the median. */
  readonly plainMs: number;
  /** By scope: time over that of the plain one measured next to it. */
  readonly ratios: Readonly<Record<string, RatioSpread>>;
}

/** Nine that hold nowhere, and one that holds everywhere but looks at every label. */
const SELECTORS: readonly LabelSelector[] = [
  ...Array.from({ length: 9 }, (_, i): LabelSelector => [
    { type: "RE", name: "__name__", value: "[a-z]+_.*|ipc|clock" },
    { type: "RE", name: "hostname", value: `(${hostName(0)}|.*)` },
    { type: "EQ", name: "stype-id", value: `none${i}` },
  ]),
  [
    { type: "NEQ", name: "__name__", value: "none" },
    { type: "NRE", name: "hostname", value: "none.*" },
    { type: "RE", name: "type-id", value: "[0-9]*" },
  ],
];

const PLAIN = "no limits";
type Scopes = Readonly<Record<string, DataScope>>;

function scopesOf(hosts: number): Scopes {
  const limits = { maxSeries: 1e6, maxQuerySamples: 1e9 };
  const viewOf = (selectors: readonly LabelSelector[]) => ({
    id: `${selectors.length} selectors`,
    grants: [{ cluster: LOAD_CLUSTER, selectors }],
  });
  return {
    [PLAIN]: DEFAULT_SCOPE,
    "the same again": {
      ...DEFAULT_SCOPE,
      instance: instanceLikeDefault("again", hosts),
    },
    "an instance": {
      ...limits,
      instance: instanceLikeDefault("tenant", hosts),
      view: viewOf([]),
    },
    "10 selectors": {
      ...limits,
      instance: instanceLikeDefault("narrow", hosts),
      view: viewOf(SELECTORS),
    },
  };
}

/** An instance whose hosts are spread over the shards as evenly as the default one's. */
function instanceLikeDefault(prefix: string, hosts: number): string {
  const spread = (instance: string) => {
    const owners = Array.from(
      { length: hosts },
      (_, i) => shardOf(instance, LOAD_CLUSTER, hostName(i), SHARDS),
    );
    return owners.filter((owner) => owner === owners[0]).length;
  };
  for (let i = 0;; i++) {
    const name = `${prefix}${i}`;
    if (spread(name) === spread("")) return name;
  }
}

export async function runPolicyBench(
  args: BenchArguments,
): Promise<PolicyRow[]> {
  const hosts = args.hosts ?? (args.small ? 2 : 24);
  const pairs = args.repeat ?? (args.small ? 2 : PAIRS);
  const engine = await startEngine({
    shards: SHARDS,
    metrics: { defaults: metricConfigs(), clusters: {} },
    retentionSec: 0,
    maxFutureSec: 3600,
    memoryCapBytes: 0,
    maxSeries: 0,
    maxHosts: 0,
    maxNameBytes: 256,
    maxQuerySamples: 0,
    missingIdPlaceholder: true,
    persistence: undefined,
  });
  try {
    const scopes = scopesOf(hosts);
    const load = new Load(engine, hosts);
    const rows = [
      await time(
        scopes,
        `ingest, ${hosts} hosts a body`,
        pairs,
        (scope) => load.write(scope, args.small ? 2 : ROUNDS_PER_PIECE),
      ),
    ];
    await load.fill(scopes, args.small ? 4 : LOADED_ROUNDS);
    for (const { name, request, times } of questions(hosts, load.range)) {
      await compareAnswers(engine, scopes, name, request);
      rows.push(
        await time(scopes, name, pairs, async (scope) => {
          for (let i = 0; i < (args.small ? 2 : times); i++) {
            await engine.query(scope, request);
          }
        }),
      );
    }
    rows.forEach(printRow);
    return rows;
  } finally {
    await engine.close();
  }
}

function metricConfigs() {
  return Object.fromEntries(
    Object.entries(LOAD_METRICS).map(([name, { frequency, aggregation }]) => [
      name,
      { frequencySec: frequency, aggregation: aggregation ?? null },
    ]),
  );
}

/** The same lines for every scope, each round a step later. */
class Load {
  readonly #engine: StoreEngine;
  readonly #request: LoadRequest;
  readonly #body: Uint8Array;
  readonly #beginSec = nowSec() - 40 * 3600;
  readonly #rounds = new Map<DataScope, number>();

  constructor(engine: StoreEngine, hosts: number) {
    this.#engine = engine;
    const [request] = renderLoad({
      hosts,
      hostsPerBody: hosts,
      order: "host",
      seed: SEED,
      writePath: "/",
      headerLines: "",
    });
    if (request === undefined) throw new Error("there is no load");
    this.#request = request;
    const head = new TextDecoder("latin1").decode(request.bytes.slice(0, 4096));
    this.#body = request.bytes.subarray(head.indexOf("\r\n\r\n") + 4);
  }

  /** Times that every scope has samples of, at the end of what was written. */
  get range(): { from: number; to: number } {
    const to = this.#beginSec +
      Math.min(...this.#rounds.values()) * LOAD_STEP_SEC;
    return { from: to - 3600, to };
  }

  async write(scope: DataScope, rounds: number): Promise<void> {
    const first = this.#rounds.get(scope) ?? 0;
    this.#rounds.set(scope, first + rounds);
    for (let round = first; round < first + rounds; round++) {
      this.#request.setTime(this.#beginSec + round * LOAD_STEP_SEC);
      const batch = this.#engine.openBatch({ scope, defaultCluster: "" });
      for (let at = 0; at < this.#body.length; at += CHUNK_BYTES) {
        await batch.push(this.#body.subarray(at, at + CHUNK_BYTES));
      }
      const { lines, stored } = await batch.end();
      if (stored !== lines) throw new Error(`${stored} of ${lines} stored`);
    }
  }

  /** Up to so many rounds in every scope. */
  async fill(scopes: Scopes, rounds: number): Promise<void> {
    const most = Math.max(rounds, ...this.#rounds.values());
    for (const scope of Object.values(scopes)) {
      await this.write(scope, most - (this.#rounds.get(scope) ?? 0));
    }
  }
}

function questions(
  hosts: number,
  range: { readonly from: number; readonly to: number },
): { name: string; times: number; request: QueryRequest }[] {
  const rest = {
    cluster: LOAD_CLUSTER,
    ...range,
    withStats: true,
    withData: true,
    withPadding: false,
    missing: "null",
  } as const;
  const one = {
    metric: "mem_used",
    host: hostName(0),
    resolution: 0,
    aggreg: false,
  };
  const threads = {
    ...one,
    metric: "cpu_user",
    type: "hwthread",
    "type-ids": Array.from({ length: THREADS_PER_HOST }, (_, i) => `${i}`),
  };
  return [
    {
      name: "query, one series, 1 h",
      times: 400,
      request: { ...rest, queries: [one] },
    },
    {
      name: `query, 10 metrics for all ${hosts} nodes, 1 h`,
      times: 30,
      request: {
        ...rest,
        queries: [],
        forAllNodes: Object.keys(NODE_METRICS).slice(0, 10),
      },
    },
    {
      name: `query, ${THREADS_PER_HOST} hwthreads of ${hosts} hosts, 1 h`,
      times: 8,
      request: {
        ...rest,
        queries: Array.from({ length: hosts }, (_, i) => ({
          ...threads,
          host: hostName(i),
        })),
      },
    },
    {
      name:
        `query, ${THREADS_PER_HOST} hwthreads of ${hosts} hosts added up, 1 h`,
      times: 12,
      request: {
        ...rest,
        queries: Array.from({ length: hosts }, (_, i) => ({
          ...threads,
          host: hostName(i),
          aggreg: true,
        })),
      },
    },
  ];
}

async function compareAnswers(
  engine: StoreEngine,
  scopes: Scopes,
  name: string,
  request: QueryRequest,
): Promise<void> {
  const plain = textOf(await engine.query(DEFAULT_SCOPE, request));
  for (const [scope, one] of Object.entries(scopes)) {
    if (textOf(await engine.query(one, request)) === plain) continue;
    throw new Error(`${name}: another answer within ${scope}`);
  }
}

function textOf({ chunks }: JsonBody): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("");
}

/** All scopes in turn, beginning with another one each time. */
async function time(
  scopes: Scopes,
  work: string,
  pairs: number,
  run: (scope: DataScope) => Promise<void>,
): Promise<PolicyRow> {
  const names = Object.keys(scopes);
  const timesMs: Record<string, number[]> = {};
  for (let round = -1; round < pairs; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + 1) % names.length]!;
      const startedMs = monotonicMs();
      await run(scopes[name]!);
      const tookMs = monotonicMs() - startedMs;
      if (round >= 0) (timesMs[name] ??= []).push(tookMs);
    }
  }
  const plain = timesMs[PLAIN] ?? [];
  const ratios: Record<string, RatioSpread> = {};
  for (const name of names) {
    if (name === PLAIN) continue;
    const all = (timesMs[name] ?? []).map((ms, i) => ms / plain[i]!);
    ratios[name] = spreadOf(all);
  }
  return { work, plainMs: median(plain), ratios };
}

function printRow({ work, plainMs, ratios }: PolicyRow): void {
  print(`\n${work}: ${plainMs.toFixed(1)} ms without limits`);
  for (const [name, { median, low, high }] of Object.entries(ratios)) {
    print(
      `  ${name.padEnd(18)} ${median.toFixed(3)} times that (quartiles ${
        low.toFixed(3)
      } to ${high.toFixed(3)})`,
    );
  }
}
