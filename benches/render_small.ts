/** Sections of the page about small requests, shapes of ingest and starts. */
import type { IngestRow } from "./ingest_bench.ts";
import type { RequestRow } from "./request_bench.ts";
import type { StartRow } from "./start_bench.ts";
import {
  INGEST_HEAD,
  ingestCells,
  ratio,
  table,
  TITLES,
} from "./support/tables.ts";
import type { TargetKind } from "./support/targets.ts";

export function shapeSection(rows: readonly IngestRow[] | undefined): string[] {
  if (rows === undefined) return [];
  return [
    "## Ingest by shape",
    "",
    "Million samples per second as centres send them: 17 node metrics and 10 hwthread",
    "metrics of 8 threads (97 lines a host), or node metrics alone (17). Late: every",
    "second slot comes after the others. The last rows are hosts of 737 lines.",
    "",
    ...table(INGEST_HEAD, rows.map(ingestCells)),
    "",
  ];
}

export function requestSection(
  rows: readonly RequestRow[] | undefined,
): string[] {
  if (rows === undefined) return [];
  const kinds = Object.keys(TITLES) as TargetKind[];
  return [
    "## Small questions",
    "",
    "Answers a second / microseconds of processor time for one / p99 in milliseconds,",
    "asked in turn in one run. The last peer is a bare `node:http` that answers as many",
    "bytes; the last columns are medians of neighbouring turns.",
    "",
    ...table(
      ["question", ...Object.values(TITLES), "ours / cc", "of limit"],
      rows.map(({ shape, timings }) => [
        shape,
        ...kinds.map((kind) => {
          const timing = timings[kind];
          if (timing === undefined) return "-";
          const { perSec, processorUs, p99Ms } = timing;
          return `${perSec.toFixed(0)} / ${processorUs.toFixed(0)} / ${
            p99Ms.toFixed(2)
          }`;
        }),
        ratio(1, timings.upstream?.rateOverOurs),
        ratio(1, timings.limit?.rateOverOurs),
      ]),
    ),
    "",
  ];
}

export function startSection(rows: readonly StartRow[] | undefined): string[] {
  const [first] = rows ?? [];
  if (rows === undefined || first === undefined) return [];
  const each = (first.samples / first.series).toFixed(0);
  return [
    "## Start with many series",
    "",
    `${first.series} series of ${each} samples each, two shards: seconds to the first`,
    "answer, and how many series a second beyond the start of an empty store.",
    "",
    ...table(
      ["start from", "seconds", "million series a second"],
      rows.map(({ from, startMs, seriesPerSec }) => [
        from,
        (startMs / 1000).toFixed(1),
        (seriesPerSec / 1e6).toFixed(2),
      ]),
    ),
    "",
  ];
}
