/**
 * PromQL over series in memory: 64 nodes of 72 threads, a sample a minute, 24 hours,
 * fixed values. Each benchmark is one query; most of the work is in the evaluator.
 */
import { evaluateSteps } from "../src/prometheus/evaluate/evaluate.ts";
import { labelsOf } from "../src/prometheus/evaluate/labels.ts";
import { MemorySource } from "../src/prometheus/evaluate/memory_source.ts";
import { parseExpr } from "../src/prometheus/language/parser.ts";
import { Random } from "./support/random.ts";

const NODES = 64;
const THREADS = 72;
const MINUTE_MS = 60_000;
const SAMPLES = 24 * 60;
const START_MS = 1_700_000_040_000;

const random = new Random(1);
const source = new MemorySource();
const timesMs = Float64Array.from(
  { length: SAMPLES },
  (_, i) => START_MS + i * MINUTE_MS,
);
for (let node = 0; node < NODES; node++) {
  const hostname = `f${String(node).padStart(4, "0")}`;
  for (let thread = 0; thread < THREADS; thread++) {
    add("flops_any", hostname, "hwthread", String(thread));
  }
  add("cpu_load", hostname, "node", "");
  add("mem_used", hostname, "node", "");
}

function add(name: string, hostname: string, type: string, id: string): void {
  let total = 0;
  const values = Float64Array.from(
    { length: SAMPLES },
    () => total += random.below(1000) / 4,
  );
  const labels = labelsOf([
    ["__name__", name],
    ["cluster", "fritz"],
    ["hostname", hostname],
    ["type", type],
    ["type_id", id],
  ]);
  source.add(labels, timesMs, values);
}

const END_MS = START_MS + (SAMPLES - 1) * MINUTE_MS;
const OPTIONS = {
  lookbackMs: 120_000,
  limits: { maxSamples: 50_000_000, maxSeries: 500_000 },
};

function bench(group: string, query: string, stepMs: number): void {
  const expr = parseExpr(query);
  const times = { startMs: START_MS, endMs: END_MS, stepMs };
  Deno.bench(`${query} by ${stepMs / 1000} s`, { group }, async () => {
    await evaluateSteps(expr, times, source, OPTIONS);
  });
}

bench("selection", `flops_any{hostname="f0001"}`, 60_000);
bench("selection", `sum by (hostname) (flops_any)`, 300_000);
bench("selection", `sum by (hostname) (flops_any)`, 60_000);
bench("selection", `max(flops_any)`, 300_000);
bench("windows", `sum by (hostname) (rate(flops_any[5m]))`, 60_000);
bench("windows", `avg_over_time(flops_any{hostname=~"f000."}[1h])`, 60_000);
bench("windows", `max_over_time(flops_any{hostname=~"f000."}[1h])`, 60_000);
bench(
  "windows",
  `quantile_over_time(0.9, flops_any{hostname=~"f000."}[1h])`,
  60_000,
);
bench("windows", `avg_over_time(cpu_load[6h])`, 60_000);
bench("windows", `max_over_time(rate(cpu_load[5m])[1h:1m])`, 60_000);
bench("operators", `cpu_load / on (hostname) mem_used > 0.5`, 60_000);
bench("operators", `topk(10, flops_any)`, 300_000);
bench(
  "operators",
  `flops_any * on (hostname) group_left () cpu_load`,
  300_000,
);

const DASHBOARD = `sum by (hostname, mode) (rate(node_cpu_seconds_total{` +
  `cluster="fritz", hostname=~"${
    Array.from({ length: 200 }, (_, i) => `f${i}`).join("|")
  }"}[5m])) / on (hostname) group_left () count by (hostname) (up == 1)`;
Deno.bench("parseExpr() a panel with 200 nodes", { group: "parse" }, () => {
  parseExpr(DASHBOARD);
});
Deno.bench("parseExpr() up", { group: "parse" }, () => {
  parseExpr("up");
});
