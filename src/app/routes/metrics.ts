/** All metrics of the server: each subsystem registers its own. Main thread. */
import type { Registry } from "prom-client";
import { registerEndings } from "../../access/ending_metrics.ts";
import { nowSec } from "../../base/clock.ts";
import { registerGauge } from "../../base/metrics.ts";
import { registerJobMetrics } from "../../jobs/lifecycle/status_metrics.ts";
import { registerStoreMetrics } from "../../metricstore/coordinator/engine_metrics.ts";
import { registerNatsMetrics } from "../../nats/nats_metrics.ts";
import { registerQueries } from "../../prometheus/api/query_metrics.ts";
import type { RouteServices } from "./services.ts";

/** Registers all but those of requests, which the HTTP server has. */
export function registerMetrics(
  registry: Registry,
  services: RouteServices,
): void {
  const { nats, jobStatus } = services;
  registerStoreMetrics(registry, services.engine);
  registerProcess(registry, services.version);
  if (nats !== undefined) registerNatsMetrics(registry, nats);
  if (jobStatus !== undefined) registerJobMetrics(registry, jobStatus);
  registerEndings(registry, services.endings);
  registerQueries(registry, services.prometheus);
}

function registerProcess(registry: Registry, version: string): void {
  registerGauge(registry, "build_info", "Always 1.", ["version"], (gauge) => {
    gauge.set({ version: version }, 1);
  });
  const startedSec = nowSec();
  registerGauge(
    registry,
    "start_time_seconds",
    "When the server started, in seconds since 1970.",
    [],
    (gauge) => gauge.set(startedSec),
  );
  registerGauge(
    registry,
    "resident_memory_bytes",
    "Memory of the whole process.",
    [],
    (gauge) => gauge.set(Deno.memoryUsage().rss),
  );
}
