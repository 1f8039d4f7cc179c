/** A metric engine in the test's own process, and the few things tests say to it. */
import {
  type DataScope,
  DEFAULT_SCOPE,
} from "../../src/metricstore/engine/data_scope.ts";
import type {
  EngineOptions,
  JsonBody,
  MetricEngine,
  QueryRequest,
  StoreEngine,
  WriteReport,
} from "../../src/metricstore/engine/metric_engine.ts";
import { startEngine } from "../../src/metricstore/coordinator/start_engine.ts";

/** A small engine without files that answers questions; `options` overrides. */
export async function startTestEngine(
  options: Partial<EngineOptions> & Pick<EngineOptions, "metrics">,
): Promise<StoreEngine> {
  const engine = await startEngine({
    shards: 2,
    retentionSec: 0,
    maxFutureSec: 3600,
    memoryCapBytes: 0,
    maxSeries: 0,
    maxHosts: 0,
    maxNameBytes: 256,
    maxQuerySamples: 0,
    missingIdPlaceholder: true,
    persistence: undefined,
    ...options,
  });
  while (engine.state === "restoring") {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return engine;
}

/** Everything of a named instance. */
export function instanceScope(instance: string): DataScope {
  return { ...DEFAULT_SCOPE, instance };
}

/** One batch of lines. */
export function write(
  engine: MetricEngine,
  scope: DataScope,
  lines: readonly string[],
  defaultCluster = "",
): Promise<WriteReport> {
  const batch = engine.openBatch({ scope, defaultCluster });
  void batch.push(new TextEncoder().encode(`${lines.join("\n")}\n`));
  return batch.end();
}

/** A query that says only what differs from the usual. */
export function queryOf(
  request:
    & Partial<QueryRequest>
    & Pick<QueryRequest, "cluster" | "from" | "to">,
): QueryRequest {
  return {
    queries: [],
    withStats: true,
    withData: true,
    withPadding: false,
    missing: "null",
    ...request,
  };
}

/** A body as text. */
export async function textOf(body: Promise<JsonBody>): Promise<string> {
  const { chunks } = await body;
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("") + decoder.decode();
}
