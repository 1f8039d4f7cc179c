/** Tables of the page of benchmarks, and the cells that several of them have. */
import type { IngestRow } from "../ingest_bench.ts";
import type { TargetKind } from "./targets.ts";

export const TITLES: Readonly<Record<TargetKind, string>> = {
  ours: "ringstore",
  "victoria-metrics": "VictoriaMetrics",
  upstream: "cc-metric-store",
  limit: "read and discard",
};

export const INGEST_HEAD = [
  "load",
  ...Object.values(TITLES),
  "ours / VM",
  "ours / cc",
  "of limit",
];

/** A row below `INGEST_HEAD`. */
export function ingestCells({ shape, rates }: IngestRow): string[] {
  const millions = (kind: TargetKind) => {
    const rate = rates[kind];
    return rate === undefined ? "-" : (rate / 1e6).toFixed(2);
  };
  return [
    shape,
    ...(Object.keys(TITLES) as TargetKind[]).map(millions),
    ratio(rates.ours, rates["victoria-metrics"]),
    ratio(rates.ours, rates.upstream),
    ratio(rates.ours, rates.limit),
  ];
}

/** `-` where a number is missing. */
export function ratio(a: number | undefined, b: number | undefined): string {
  return a === undefined || b === undefined ? "-" : (a / b).toFixed(2);
}

/** Lines of Markdown. */
export function table(head: string[], rows: string[][]): string[] {
  const lines = [head, head.map((_, i) => i === 0 ? "---" : "--:"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`);
}
