/**
 * The server's own metrics in the Prometheus format. Counters of the shards are
 * copied when somebody asks; what is counted per request here costs about 80 ns
 * a call. Main thread only.
 */
import {
  Counter,
  type CounterConfiguration,
  Gauge,
  Histogram,
  Registry,
} from "prom-client";
import type { EndingCredentials } from "../../access/ending_credentials.ts";
import { nowSec } from "../../base/clock.ts";
import type {
  ArchiveStats,
  EngineState,
  MetricEngine,
} from "../../metricstore/engine/metric_engine.ts";
import { OTHER_CLUSTERS } from "../../metricstore/coordinator/unknown_metric_news.ts";
import { registerEndings } from "../../http/ending_metrics.ts";
import { RequestCounts } from "./request_counts.ts";
import type { JobStatus } from "../../jobs/lifecycle/services.ts";
import type { NatsStatus } from "../../nats/nats_service.ts";
import type { SubscriptionStats } from "../../nats/subscription_stats.ts";
import type { SharedPool } from "../../base/shared_pool.ts";
import { registerQueries } from "./query_metrics.ts";
import { SHARD_COUNTERS, SHARD_GAUGES } from "./shard_metrics.ts";
import type { PrometheusServices } from "../../prometheus/api/services.ts";

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

const ENGINE_STATES: readonly EngineState[] = [
  "restoring",
  "ready",
  "stopping",
  "failed",
];

export interface TelemetrySources {
  readonly engine: MetricEngine;
  readonly gate: Pick<SharedPool, "inUse" | "waitsTotal" | "refusalsTotal">;
  readonly version: string;
  /** Absent: no broker is configured. */
  readonly nats?: NatsStatus | undefined;
  /** Absent: there are no jobs. */
  readonly jobs?: JobStatus | undefined;
  /** Absent: nobody tells of credentials that end before long. */
  readonly endings?: EndingCredentials | undefined;
  /** Absent: nobody evaluates queries. */
  readonly prometheus?: PrometheusServices | undefined;
  /** How many requests have no answer yet. */
  readonly requestsInFlight: () => number;
}

const ARCHIVE_COUNTERS: readonly [string, string, keyof ArchiveStats][] = [
  ["archive_runs_total", "Runs of the archive that were begun.", "runsTotal"],
  ["archive_failures_total", "Runs that failed.", "failuresTotal"],
  ["archive_files_total", "Parquet files written.", "filesTotal"],
  ["archive_rows_total", "Samples written to them.", "rowsTotal"],
];

const SUBSCRIPTION_COUNTERS: readonly [
  string,
  string,
  keyof SubscriptionStats,
][] = [
  ["nats_messages_total", "Messages received.", "messages"],
  ["nats_message_bytes_total", "Their bytes.", "bytes"],
  ["nats_samples_total", "Samples stored of them.", "stored"],
  [
    "nats_dropped_messages_total",
    "Messages dropped for want of room.",
    "dropped",
  ],
  ["nats_failed_messages_total", "Messages the store never took.", "failed"],
  [
    "nats_redelivered_messages_total",
    "Messages of a stream that came again.",
    "redelivered",
  ],
  [
    "nats_retries_total",
    "Batches that the store did not take at once.",
    "retries",
  ],
];

export class Telemetry {
  readonly #registry = new Registry();
  readonly #requests = new RequestCounts();
  readonly #denied: Counter<"reason">;
  readonly #changes: Counter<"change">;
  readonly #latencies = new Map<string, Histogram.Internal<string>>();

  constructor(sources: TelemetrySources) {
    this.#counter(
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
      registers: [this.#registry],
    });
    this.#changes = new Counter({
      name: "ringstore_changes_total",
      help: "Changes made through the admin and user routes, by operation.",
      labelNames: ["change"],
      registers: [this.#registry],
    });
    for (const work of ["write", "query"]) {
      const histogram = new Histogram({
        name: `ringstore_${work}_duration_seconds`,
        help: `Time from the headers of a ${work} to its answer.`,
        buckets: LATENCY_BUCKETS_SEC,
        registers: [this.#registry],
      });
      this.#latencies.set(work, histogram.labels());
    }
    this.#registerShards(sources.engine);
    this.#registerArchive(sources.engine);
    this.#registerProcess(sources);
    if (sources.nats !== undefined) this.#registerNats(sources.nats);
    if (sources.jobs !== undefined) this.#registerJobs(sources.jobs);
    registerEndings(this.#registry, sources.endings);
    registerQueries(this.#registry, sources.prometheus);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics as text. */
  render(): Promise<string> {
    return this.#registry.metrics();
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

  #registerShards(engine: MetricEngine): void {
    for (const [name, help, key] of SHARD_COUNTERS) {
      this.#counter(name, help, ["shard"], (counter) => {
        for (const stats of engine.stats()) {
          counter.inc({ shard: String(stats.shard) }, Number(stats[key]));
        }
      });
    }
    for (const [name, help, key] of SHARD_GAUGES) {
      this.#gauge(name, help, ["shard"], (gauge) => {
        for (const stats of engine.stats()) {
          gauge.set({ shard: String(stats.shard) }, Number(stats[key]));
        }
      });
    }
    this.#gauge(
      "instance_series",
      "Series of each instance but the default one.",
      ["instance"],
      (gauge) => {
        for (const [instance, series] of engine.instanceSeries ?? []) {
          gauge.set({ instance }, series);
        }
      },
    );
    this.#counter(
      "unknown_metric_lines_total",
      "Lines whose metric nobody configured, by the cluster they name; " +
        `"${OTHER_CLUSTERS}": further clusters.`,
      ["cluster"],
      (counter) => {
        for (const [cluster, lines] of engine.unknownMetricLines ?? []) {
          counter.inc({ cluster }, lines);
        }
      },
    );
    const byReason = (key: "rejectedTotal" | "skippedTotal") =>
    (
      counter: Counter<string>,
    ) => {
      for (const stats of engine.stats()) {
        for (const [reason, count] of Object.entries(stats[key])) {
          counter.inc({ shard: String(stats.shard), reason }, count);
        }
      }
    };
    this.#counter(
      "ingest_rejected_lines_total",
      "Lines refused as wrong, by reason.",
      ["shard", "reason"],
      byReason("rejectedTotal"),
    );
    this.#counter(
      "ingest_skipped_lines_total",
      "Lines passed over without being wrong, by reason.",
      ["shard", "reason"],
      byReason("skippedTotal"),
    );
  }

  #registerArchive(engine: MetricEngine): void {
    if (engine.archive === undefined) return;
    for (const [name, help, key] of ARCHIVE_COUNTERS) {
      this.#counter(
        name,
        help,
        [],
        (counter) => counter.inc(engine.archive?.[key] ?? 0),
      );
    }
    this.#gauge(
      "archived_before_timestamp_seconds",
      "Samples before it are in Parquet files.",
      [],
      (gauge) => gauge.set(engine.archive?.reachedSec ?? 0),
    );
  }

  #registerNats(nats: NatsStatus): void {
    this.#gauge(
      "nats_connected",
      "1 while there is a connection to the broker.",
      [],
      (gauge) => gauge.set(nats.state === "connected" ? 1 : 0),
    );
    this.#counter(
      "nats_connects_total",
      "Connections made to the broker.",
      [],
      (counter) => counter.inc(nats.connectsTotal),
    );
    this.#gauge(
      "nats_in_flight_bytes",
      "Bytes of messages received and not yet stored.",
      [],
      (gauge) => gauge.set(nats.bytesInFlight),
    );
    for (const [name, help, key] of SUBSCRIPTION_COUNTERS) {
      this.#counter(name, help, ["subject", "durable"], (counter) => {
        for (const { subject, durable, [key]: count } of nats.subscriptions) {
          counter.inc({ subject, durable }, Number(count));
        }
      });
    }
    const byReason =
      (key: "rejected" | "skipped") => (counter: Counter<string>) => {
        for (const { subject, durable, [key]: counts } of nats.subscriptions) {
          for (const [reason, count] of Object.entries(counts)) {
            counter.inc({ subject, durable, reason }, count);
          }
        }
      };
    const { jobEvents } = nats;
    if (jobEvents !== undefined) {
      this.#counter(
        "nats_job_events_total",
        "Job events and node states, by what became of them.",
        ["outcome"],
        (counter) => {
          const outcomes = ["handled", "known", "failed", "dropped"] as const;
          for (const outcome of outcomes) {
            counter.inc({ outcome }, jobEvents[outcome]);
          }
          for (const [problem, count] of Object.entries(jobEvents.problems)) {
            counter.inc({ outcome: problem }, count);
          }
        },
      );
    }
    this.#counter(
      "nats_rejected_lines_total",
      "Lines refused as wrong, by reason.",
      ["subject", "durable", "reason"],
      byReason("rejected"),
    );
    this.#counter(
      "nats_skipped_lines_total",
      "Lines passed over without being wrong, by reason.",
      ["subject", "durable", "reason"],
      byReason("skipped"),
    );
  }

  #registerJobs(jobs: JobStatus): void {
    this.#counter(
      "node_states_passed_over_total",
      "Reported states of nodes that belong to no sub-cluster.",
      [],
      (counter) => counter.inc(jobs.passedOverNodes()),
    );
    this.#counter(
      "jobs_archived_total",
      "Jobs that were archived.",
      [],
      (counter) => counter.inc(jobs.archiver.archivedTotal),
    );
    this.#counter(
      "jobs_archive_failed_attempts_total",
      "Attempts to archive a job that failed; they are repeated.",
      [],
      (counter) => counter.inc(jobs.archiver.failedAttemptsTotal),
    );
    this.#counter(
      "jobs_archive_failures_total",
      "Jobs that could not be archived while their samples were there, and were given up.",
      [],
      (counter) => counter.inc(jobs.archiver.failedTotal),
    );
    this.#gauge(
      "jobs_archive_queue",
      "Jobs that have stopped and wait to be archived.",
      [],
      async (gauge) => gauge.set((await jobs.queue()).waiting),
    );
    this.#gauge(
      "jobs_archive_failing",
      "Those of them whose last attempt failed.",
      [],
      async (gauge) => gauge.set((await jobs.queue()).failing),
    );
    this.#gauge(
      "jobs_archive_oldest_timestamp_seconds",
      "When the job was stopped that has waited longest; 0: none waits.",
      [],
      async (gauge) => gauge.set((await jobs.queue()).oldestSince),
    );
    this.#gauge(
      "jobs_running",
      "Jobs that run.",
      [],
      async (gauge) => gauge.set(await jobs.running()),
    );
  }

  #registerProcess(sources: TelemetrySources): void {
    const { engine, gate } = sources;
    this.#gauge(
      "http_in_flight_bytes",
      "Bytes of bodies and answers under way.",
      [],
      (gauge) => gauge.set(gate.inUse()),
    );
    this.#gauge(
      "http_requests_in_flight",
      "Requests without an answer yet.",
      [],
      (gauge) => gauge.set(sources.requestsInFlight()),
    );
    this.#counter(
      "http_overload_waits_total",
      "Times that a request waited for room.",
      [],
      (counter) => counter.inc(gate.waitsTotal),
    );
    this.#counter(
      "http_overload_refusals_total",
      "Requests refused since there was no room, or none in time.",
      [],
      (counter) => counter.inc(gate.refusalsTotal),
    );
    this.#gauge("engine_state", "1 for the present state.", ["state"], (g) => {
      for (const state of ENGINE_STATES) {
        g.set({ state }, engine.state === state ? 1 : 0);
      }
    });
    this.#gauge("build_info", "Always 1.", ["version"], (gauge) => {
      gauge.set({ version: sources.version }, 1);
    });
    const startedSec = nowSec();
    this.#gauge(
      "start_time_seconds",
      "When the server started, in seconds since 1970.",
      [],
      (gauge) => gauge.set(startedSec),
    );
    this.#gauge(
      "resident_memory_bytes",
      "Memory of the whole process.",
      [],
      (gauge) => gauge.set(Deno.memoryUsage().rss),
    );
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    fill: (counter: Counter<Label>) => void,
  ): void {
    const options: CounterConfiguration<Label> = {
      name: `ringstore_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        fill(this);
      },
    };
    new Counter(options);
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    fill: (gauge: Gauge<Label>) => void | Promise<void>,
  ): void {
    new Gauge<Label>({
      name: `ringstore_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        return fill(this);
      },
    });
  }
}
