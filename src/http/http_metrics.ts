/**
 * Metrics of requests. Counting one costs about 80 ns. Main thread.
 */
import { Counter, Histogram, type Registry } from "prom-client";
import { registerCounter, registerGauge } from "../base/metrics.ts";
import type { SharedPool } from "../base/shared_pool.ts";
import { RequestCounts } from "./request_counts.ts";

/** From a query of one series to one that the client gives up on. */
const LATENCY_BUCKETS_SEC = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

export interface HttpMetricSources {
  readonly gate: Pick<SharedPool, "inUse" | "waitsTotal" | "refusalsTotal">;
  /** Reads of the job and admin APIs that are let in at a time. */
  readonly reads: Pick<SharedPool, "waitsTotal" | "refusalsTotal">;
  /** Requests without an answer yet. */
  readonly requestsInFlight: () => number;
}

export class HttpMetrics {
  readonly #requests = new RequestCounts();
  readonly #denied: Counter<"reason">;
  readonly #changes: Counter<"change">;
  readonly #latencies = new Map<string, Histogram.Internal<string>>();

  constructor(registry: Registry, sources: HttpMetricSources) {
    registerCounter(
      registry,
      "http_requests_total",
      "Requests answered, by route and status.",
      ["route", "status"],
      (counter) =>
        this.#requests.each((route, status, count) =>
          counter.inc({ route, status: String(status) }, count)
        ),
    );
    this.#denied = new Counter({
      name: "ringstore_auth_denied_total",
      help: "Requests refused for want of a credential or of rights.",
      labelNames: ["reason"],
      registers: [registry],
    });
    this.#changes = new Counter({
      name: "ringstore_changes_total",
      help: "Changes made through the admin and user routes, by operation.",
      labelNames: ["change"],
      registers: [registry],
    });
    for (const work of ["write", "query"]) {
      const histogram = new Histogram({
        name: `ringstore_${work}_duration_seconds`,
        help: `Time from the headers of a ${work} to its answer.`,
        buckets: LATENCY_BUCKETS_SEC,
        registers: [registry],
      });
      this.#latencies.set(work, histogram.labels());
    }
    registerLoad(registry, sources);
  }

  /** `route` is a route's name, never what a client made up. */
  countRequest(route: string, status: number, durationSec: number): void {
    this.#requests.add(route, status);
    this.#latencies.get(route)?.observe(durationSec);
  }

  countDenied(reason: string): void {
    this.#denied.inc({ reason });
  }

  /** `operation` is the id of a documented operation. */
  countChange(operation: string): void {
    this.#changes.inc({ change: operation });
  }
}

function registerLoad(
  registry: Registry,
  { gate, reads, requestsInFlight }: HttpMetricSources,
): void {
  registerGauge(
    registry,
    "http_in_flight_bytes",
    "Bytes of bodies and answers under way.",
    [],
    (gauge) => gauge.set(gate.inUse()),
  );
  registerGauge(
    registry,
    "http_requests_in_flight",
    "Requests without an answer yet.",
    [],
    (gauge) => gauge.set(requestsInFlight()),
  );
  registerCounter(
    registry,
    "http_overload_waits_total",
    "Times that a request waited for room.",
    [],
    (counter) => counter.inc(gate.waitsTotal),
  );
  registerCounter(
    registry,
    "http_overload_refusals_total",
    "Requests refused since there was no room, or none in time.",
    [],
    (counter) => counter.inc(gate.refusalsTotal),
  );
  registerCounter(
    registry,
    "http_read_waits_total",
    "Times that a read of the job or admin API waited for its turn.",
    [],
    (counter) => counter.inc(reads.waitsTotal),
  );
  registerCounter(
    registry,
    "http_read_refusals_total",
    "Reads refused since their turn did not come in time.",
    [],
    (counter) => counter.inc(reads.refusalsTotal),
  );
}
