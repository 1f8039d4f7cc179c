/** Metrics of the connection to the broker and of its subscriptions. Main thread. */
import type { Counter, Registry } from "prom-client";
import { registerCounter, registerGauge } from "../base/metrics.ts";
import type { NatsStatus } from "./nats_service.ts";
import type { SubscriptionStats } from "./subscription_stats.ts";

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

export function registerNatsMetrics(
  registry: Registry,
  nats: NatsStatus,
): void {
  registerGauge(
    registry,
    "nats_connected",
    "1 while there is a connection to the broker.",
    [],
    (gauge) => gauge.set(nats.state === "connected" ? 1 : 0),
  );
  registerCounter(
    registry,
    "nats_connects_total",
    "Connections made to the broker.",
    [],
    (counter) => counter.inc(nats.connectsTotal),
  );
  registerGauge(
    registry,
    "nats_in_flight_bytes",
    "Bytes of messages received and not yet stored.",
    [],
    (gauge) => gauge.set(nats.bytesInFlight),
  );
  for (const [name, help, key] of SUBSCRIPTION_COUNTERS) {
    registerCounter(registry, name, help, ["subject", "durable"], (counter) => {
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
    registerCounter(
      registry,
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
  registerCounter(
    registry,
    "nats_rejected_lines_total",
    "Lines refused as wrong, by reason.",
    ["subject", "durable", "reason"],
    byReason("rejected"),
  );
  registerCounter(
    registry,
    "nats_skipped_lines_total",
    "Lines passed over without being wrong, by reason.",
    ["subject", "durable", "reason"],
    byReason("skipped"),
  );
}
