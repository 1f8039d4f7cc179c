/** Metrics of queries by the Prometheus API. Main thread. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { EndpointCounts } from "./query_stats.ts";
import type { PrometheusServices } from "./services.ts";

type Numbers = "queueSec" | "evaluatorSec" | "samplesRead";

const COUNTERS: readonly [string, string, Numbers][] = [
  [
    "promql_queue_seconds_total",
    "Time that questions waited for their turn.",
    "queueSec",
  ],
  [
    "promql_evaluator_seconds_total",
    "Time that questions took in evaluators.",
    "evaluatorSec",
  ],
  [
    "promql_samples_read_total",
    "Samples that evaluators got from shards.",
    "samplesRead",
  ],
];

/** Registers them; does nothing where nobody evaluates queries. */
export function registerQueries(
  registry: Registry,
  services: Pick<PrometheusServices, "queue" | "stats"> | undefined,
): void {
  if (services === undefined) return;
  const { queue, stats } = services;
  const fill = (
    name: string,
    help: string,
    labelNames: string[],
    add: (counter: Counter, endpoint: string, counts: EndpointCounts) => void,
  ) =>
    new Counter({
      name: `ringstore_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [endpoint, counts] of stats.byEndpoint) {
          add(this, endpoint, counts);
        }
      },
    });
  fill(
    "promql_queries_total",
    "Questions by endpoint, and what became of them: success, or the type of the error.",
    ["endpoint", "outcome"],
    (counter, endpoint, { outcomes }) => {
      for (const [outcome, count] of outcomes) {
        counter.inc({ endpoint, outcome }, count);
      }
    },
  );
  for (const [name, help, key] of COUNTERS) {
    fill(name, help, ["endpoint"], (counter, endpoint, counts) => {
      counter.inc({ endpoint }, counts[key]);
    });
  }
  const show = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `ringstore_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  show(
    "promql_queries_waiting",
    "Questions that wait for their turn.",
    () => queue.waiting,
  );
  show(
    "promql_queries_running",
    "Questions that are evaluated.",
    () => queue.running,
  );
}
