/** A metric engine that stores nothing: it notes what it was asked and answers as told. */
import type { QueryAnswer } from "../../src/metricstore/engine/query_jobs.ts";
import type { DataScope } from "../../src/metricstore/engine/data_scope.ts";
import { ClientError } from "../../src/base/errors.ts";
import {
  type Batch,
  type BatchOptions,
  type EngineState,
  type JsonBody,
  type MetricEngine,
  type NodeHealth,
  type QueryRequest,
  REJECT_REASONS,
  type ShardStats,
  SKIP_REASONS,
  type WriteReport,
} from "../../src/metricstore/engine/metric_engine.ts";
import { StoredClusters } from "../../src/metricstore/coordinator/stored_clusters.ts";

export const ALL_STORED: WriteReport = {
  lines: 1,
  stored: 1,
  rejected: {},
  skipped: {},
  errors: [],
};

export interface FakeBatch {
  readonly options: BatchOptions;
  text: string;
  bytes: number;
  state: "open" | "ended" | "aborted";
}

export function jsonBody(text: string, pieces = 1): JsonBody {
  const bytes = new TextEncoder().encode(text);
  const size = Math.ceil(bytes.length / pieces);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    chunks.push(bytes.subarray(at, at + size));
  }
  return { chunks, byteLength: bytes.length };
}

export class FakeEngine implements MetricEngine {
  state: EngineState = "ready";
  readonly batches: FakeBatch[] = [];
  readonly queries: { scope: DataScope; request: QueryRequest }[] = [];
  readonly freed: { selectors: unknown; toSec: number }[] = [];
  readonly healthQuestions: {
    cluster: string;
    nodes: readonly string[];
    metrics: readonly string[] | undefined;
  }[] = [];
  readonly instanceSeries = new Map([["team", 3]]);
  report: WriteReport | Promise<WriteReport> = ALL_STORED;
  /** Thrown by whatever is asked. */
  failure: Error | undefined;
  answer: JsonBody | Promise<JsonBody> = jsonBody('{"results":[]}\n');
  healthByNode = new Map<string, NodeHealth>();
  readonly clusters = new StoredClusters();
  /** What `push` returns. */
  pushWait: () => Promise<void> | undefined = () => undefined;
  /** Called on every change of a batch, so that tests can wait for one. */
  onBatch: (batch: FakeBatch) => void = () => {};

  openBatch(options: BatchOptions): Batch {
    const batch: FakeBatch = { options, text: "", bytes: 0, state: "open" };
    this.batches.push(batch);
    const decoder = new TextDecoder();
    return {
      get heldBytes() {
        return batch.bytes;
      },
      push: (chunk) => {
        batch.bytes += chunk.byteLength;
        if (batch.bytes < 1 << 20) {
          batch.text += decoder.decode(chunk, { stream: true });
        }
        this.onBatch(batch);
        return this.pushWait();
      },
      end: () => {
        batch.state = "ended";
        this.onBatch(batch);
        return this.#result(this.report);
      },
      abort: () => {
        batch.state = "aborted";
        this.onBatch(batch);
      },
    };
  }

  /** By the first byte, so that tests can tell. */
  laneOf(_options: BatchOptions, start: Uint8Array): number {
    return start[0] ?? 0;
  }

  #result<Value>(value: Value | Promise<Value>): Promise<Value> {
    return this.failure === undefined
      ? Promise.resolve(value)
      : Promise.reject(this.failure);
  }

  /** Resolves when a batch is in that state. */
  batchIs(state: FakeBatch["state"]): Promise<FakeBatch> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.batches.find((batch) => batch.state === state);
        if (found !== undefined) resolve(found);
      };
      this.onBatch = look;
      look();
    });
  }

  query(scope: DataScope, request: QueryRequest): Promise<JsonBody> {
    this.queries.push({ scope, request });
    return this.#result(this.answer);
  }

  free(
    _scope: DataScope,
    selectors: readonly (readonly string[])[],
    toSec: number,
  ): Promise<number> {
    this.freed.push({ selectors, toSec });
    return Promise.resolve(selectors.length);
  }

  debug(_scope: DataScope, selector: readonly string[]): Promise<JsonBody> {
    if (selector.includes("nope")) {
      return Promise.reject(new ClientError("E_BAD_REQUEST", "not found"));
    }
    return Promise.resolve(
      jsonBody(JSON.stringify({ data: { selector } }) + "\n"),
    );
  }

  evaluate(): Promise<QueryAnswer> {
    return Promise.reject(new Error("no queries are expected here"));
  }

  health(
    _scope: DataScope,
    cluster: string,
    nodes: readonly string[],
    metrics: readonly string[] | undefined,
  ): Promise<ReadonlyMap<string, NodeHealth>> {
    this.healthQuestions.push({ cluster, nodes, metrics });
    return Promise.resolve(this.healthByNode);
  }

  stats(): readonly ShardStats[] {
    const zeros = <Reason extends string>(reasons: readonly Reason[]) =>
      Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<
        Reason,
        number
      >;
    return [{
      shard: 0,
      linesTotal: 12,
      storedTotal: 10,
      rejectedTotal: { ...zeros(REJECT_REASONS), syntax: 2 },
      skippedTotal: { ...zeros(SKIP_REASONS), "too-old": 3 },
      queriesTotal: 4,
      samplesReadTotal: 40,
      series: 5,
      hosts: 2,
      runs: 6,
      blockBytes: 7,
      restoredSamples: 0,
      logBytesTotal: 11,
      logFailuresTotal: 0,
      reservedBytes: 16384,
      evictedBeforeSec: 0,
      selectionsOpen: 0,
      selectionsTotal: 0,
      selectedSamplesTotal: 0,
      selectionSecTotal: 0,
      sampleBytes: 8192,
      inboxBytes: 9,
      mixedLevelQueriesTotal: 1,
    }];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
