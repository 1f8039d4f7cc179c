/**
 * Turns the results of `deno task bench` into `docs/benchmarks.md`. The only
 * argument, if any, is the result file.
 */
import { ROOT } from "../tests/support/server.ts";
import type { QueryRow } from "./query_bench.ts";
import { formatTiming, type JobBenchResult } from "./job_bench.ts";
import type { JobHttpResult } from "./job_http_bench.ts";
import type { JobReadResult, WriteTimes } from "./job_read_bench.ts";
import type { NatsRow } from "./nats_bench.ts";
import type { NeighbourRow } from "./neighbour_bench.ts";
import type { WebBenchRow } from "./web_bench.ts";
import type { PolicyRow } from "./policy_bench.ts";
import type { PromBenchResult, PromTiming } from "./prometheus_bench.ts";
import {
  INGEST_HEAD,
  ingestCells,
  ratio,
  table,
  TITLES,
} from "./support/tables.ts";
import { requestSection, shapeSection, startSection } from "./render_small.ts";
import { type BenchResults, RESULT_FILE } from "./run.ts";
import { type StoreBenchResult, storeRows } from "./store_bench.ts";
import { formatSpread, print } from "./support/report.ts";
import type { TargetKind } from "./support/targets.ts";

const PAGE = `${ROOT}docs/benchmarks.md`;

/** The whole page; peers that did not run are shown as a dash. */
export function renderPage(
  {
    run,
    ingest,
    query,
    policy,
    jobs,
    jobHttp,
    jobRead,
    store,
    nats,
    neighbours,
    web,
    shapes,
    requests,
    start,
    prometheus,
  }: BenchResults,
): string {
  return [
    "# Benchmarks",
    "",
    `Measured at commit \`${run.commit}\` on ${run.date}: ${run.cpu}, ${run.cores} cores,`,
    `${run.memoryGiB} GiB, Deno ${run.deno}. Load generator and servers share the machine.`,
    "`deno task bench` measures again, `deno task bench:page` writes this page.",
    "",
    "## Ingest",
    "",
    "Million samples per second, the median of interleaved runs on fresh, empty",
    "servers. A host is 17 node metrics and 10 hwthread metrics of 72 threads; every",
    "sample is new. The last peer is our front door reading the same bodies and",
    "throwing them away: the limit.",
    "",
    ...table(
      INGEST_HEAD,
      ingest.map(ingestCells),
    ),
    "",
    "## Queries",
    "",
    `Milliseconds over ${query.hours} h of data of ${query.hosts} hosts (${
      (query.samples / 1e6).toFixed(1)
    } M samples), p50 / p99, asked in`,
    "turn in one run; answers of ringstore and cc-metric-store are compared first.",
    "Writing is the share of our time saved when no data is asked for.",
    "VictoriaMetrics is asked what comes nearest through `query_range`, after them.",
    "",
    ...table(
      [
        "query",
        TITLES.ours,
        TITLES.upstream,
        TITLES["victoria-metrics"],
        "times as fast as cc",
        "answer",
        "writing",
      ],
      query.rows.map(queryCells),
    ),
    "",
    `Resident memory after loading: ${
      Object.entries(query.residentBytes).map(([kind, bytes]) =>
        `${TITLES[kind as TargetKind]} ${(bytes / 1e6).toFixed(0)} MB (${
          (bytes / query.samples).toFixed(1)
        } B/sample)`
      ).join(", ")
    }.`,
    "",
    ...prometheusSection(prometheus),
    ...policySection(policy),
    ...jobSection(jobs),
    ...jobHttpSection(jobHttp),
    ...jobReadSection(jobRead),
    ...storeSection(store),
    ...natsSection(nats),
    ...neighbourSection(neighbours),
    ...webSection(web),
    ...shapeSection(shapes),
    ...requestSection(requests),
    ...startSection(start),
  ].join("\n");
}

function prometheusSection(result: PromBenchResult | undefined): string[] {
  if (result === undefined) return [];
  const { hosts, hours, rows, series } = result;
  const cell = (timing: PromTiming | undefined) =>
    timing === undefined
      ? "-"
      : `${timing.p50Ms.toFixed(2)} / ${timing.p99Ms.toFixed(2)}`;
  return [
    "## PromQL",
    "",
    `Milliseconds by HTTP over ${hours} h of ${hosts} hosts (${series} series), p50 / p99,`,
    "warm, without the peer's cache of answers.",
    "",
    ...table(
      ["question", TITLES.ours, TITLES["victoria-metrics"], "times as fast"],
      rows.map(({ shape, ours, victoriaMetrics }) => [
        shape,
        cell(ours),
        cell(victoriaMetrics),
        ratio(victoriaMetrics?.p50Ms, ours.p50Ms),
      ]),
    ),
    "",
  ];
}

function policySection(rows: readonly PolicyRow[] | undefined): string[] {
  const [first] = rows ?? [];
  if (rows === undefined || first === undefined) return [];
  return [
    "## Instances and access policies",
    "",
    "Time within a scope over the time without limits, measured next to each other",
    "through the engine: the median of interleaved pairs and their quartiles. Every",
    "scope shows the same samples; the second column is what chance makes of it.",
    "",
    ...table(
      ["work", "ms", ...Object.keys(first.ratios)],
      rows.map(({ work, plainMs, ratios }) => [
        work,
        plainMs.toFixed(1),
        ...Object.values(ratios).map((spread) => formatSpread(spread, 2)),
      ]),
    ),
    "",
  ];
}

function jobSection(jobs: JobBenchResult | undefined): string[] {
  if (jobs === undefined) return [];
  const millions = (jobs.jobs / 1e6).toFixed(1);
  const perSec = (rate: number) => `${rate.toFixed(0)} a second`;
  return [
    "## Jobs",
    "",
    `Milliseconds for a page of 25 jobs with their tags out of ${millions} M jobs`,
    `(${
      (jobs.fileBytes / 1e9).toFixed(1)
    } GB), p50 / p99, through the database`,
    "worker. Filters of a row vary among the busiest users, projects and clusters.",
    "",
    ...listTable("list", jobs),
    "",
    `Jobs started: ${perSec(jobs.startsPerSec)}; stopped and queued for the`,
    `archive: ${perSec(jobs.stopsPerSec)}; 16 callers, next to the jobs above.`,
    "",
  ];
}

function listTable(
  title: string,
  { rows, deepPage }: Pick<JobBenchResult, "rows" | "deepPage">,
): string[] {
  return table(
    [title, "page 1", `page ${deepPage}`],
    rows.map(({ shape, first, deep }) => [
      shape,
      formatTiming(first),
      formatTiming(deep),
    ]),
  );
}

function jobHttpSection(jobs: JobHttpResult | undefined): string[] {
  if (jobs === undefined) return [];
  const perSec = (rate: number) => `${rate.toFixed(0)} a second`;
  return [
    "## Jobs over HTTP",
    "",
    `The same ${(jobs.jobs / 1e6).toFixed(1)} M jobs behind a server, with the`,
    "statistics out of the archive: milliseconds for a page of 25, p50 / p99.",
    "",
    ...listTable("list over HTTP", jobs),
    "",
    `\`start_job\`: ${perSec(jobs.startsPerSec)}; \`stop_job\`: ${
      perSec(jobs.stopsPerSec)
    },`,
    "16 connections, jobs being archived meanwhile. Archived, jobs of one node and an",
    `hour with all its hardware threads: ${perSec(jobs.archivedPerSec)}.`,
    "",
    "Ingest of metrics beside jobs that start and stop, as a part of that alone: median",
    "(quartiles) of nine interleaved pairs. Callers and senders share the processors",
    "with the server, so at full ingest every request of theirs takes its time from it:",
    'in the row with "elsewhere" a server that only reads and answers takes them instead of ours.',
    "",
    ...table(
      ["starts and as many stops a second", "samples a second alone", "beside"],
      jobs.ingest.map(
        ({ reached, offered, elsewhere, alone, ...spread }) => [
          `${reached.toFixed(0)}${elsewhere ? ", elsewhere" : ""}`,
          `${(alone / 1e6).toFixed(2)} M${offered ? "" : ", at full rate"}`,
          formatSpread(spread, 3),
        ],
      ),
    ),
    "",
  ];
}

function jobReadSection(read: JobReadResult | undefined): string[] {
  if (read === undefined) return [];
  const times = ({ writes, medianMs, slowestMs }: WriteTimes) => [
    String(writes),
    medianMs.toFixed(1),
    slowestMs.toFixed(0),
  ];
  return [
    "## Writes beside readers of a large job",
    "",
    `${read.readers} at a time read two metrics of every core of a job of a week on 8 nodes, of`,
    `which the store has ${(read.values / 1e6).toFixed(1)} M values: ${
      read.megabytes.toFixed(0)
    } MB in ${
      read.seconds.toFixed(1)
    } s. Milliseconds for a write of one line.`,
    "",
    ...table(["", "writes", "median", "slowest"], [
      ["nobody reads", ...times(read.alone)],
      [`${read.readers} readers`, ...times(read.beside)],
    ]),
    "",
  ];
}

function storeSection(store: StoreBenchResult | undefined): string[] {
  if (store === undefined) return [];
  return [
    "## Log, restart, memory",
    "",
    `${store.series} series of ${store.slots} slots each, two shards: the traces of a real job,`,
    "each host at an offset of its own. Writes are timed over some seconds in which",
    "one snapshot follows the other, with pauses of a second.",
    "",
    ...table(["what", "number"], storeRows(store)),
    "",
  ];
}

function natsSection(rows: readonly NatsRow[] | undefined): string[] {
  if (rows === undefined) return [];
  const millions = (rate: number) => (rate / 1e6).toFixed(2);
  return [
    "## NATS",
    "",
    "Million samples per second of 737-line messages, one host each, and per second",
    "of processor time of our process, by HTTP over four connections and by NATS with",
    "the broker on the same machine: the median of interleaved runs.",
    "",
    ...table(
      ["way", "M samples/s", "M samples per CPU second"],
      rows.map((
        { way, rate, ratePerCpuSec },
      ) => [way, millions(rate), millions(ratePerCpuSec)]),
    ),
    "",
  ];
}

function webSection(rows: readonly WebBenchRow[] | undefined): string[] {
  if (rows === undefined) return [];
  return [
    "## Pages",
    "",
    "In a real Chromium that draws by software, on the machine of the server: a job of",
    "64 nodes with 20 metrics over 24 hours, medians of five. Bytes are compressed.",
    "",
    ...table(
      ["budget", "work", "measured", "bound"],
      rows.map(({ budget, work, measured, bound, unit }) => [
        budget,
        work,
        `${measured.toFixed(0)} ${unit}`,
        `${bound} ${unit}`,
      ]),
    ),
    "",
  ];
}

function neighbourSection(
  rows: readonly NeighbourRow[] | undefined,
): string[] {
  if (rows === undefined) return [];
  return [
    "## Neighbours",
    "",
    "Milliseconds of a tenant's writes, p99, while another tenant does its worst over",
    "four connections, and alone: two hosts of 737 lines each, twenty-five times a",
    "second. The ratio is that of pairs. No write may fail.",
    "",
    ...table(
      ["the other tenant", "alone", "beside it", "ratio", "failures"],
      rows.map(({ work, aloneMs, besideMs, ratio, failures }) => [
        work,
        aloneMs.toFixed(0),
        besideMs.toFixed(0),
        ratio.toFixed(1),
        String(failures),
      ]),
    ),
    "",
  ];
}

function queryCells({ shape, timings, writingShare }: QueryRow): string[] {
  const times = (kind: TargetKind) => {
    const timing = timings[kind];
    if (timing === undefined) return "-";
    return `${timing.p50Ms.toFixed(2)} / ${timing.p99Ms.toFixed(2)}`;
  };
  const bytes = timings.ours?.bytes ?? 0;
  return [
    shape,
    times("ours"),
    times("upstream"),
    times("victoria-metrics"),
    ratio(timings.upstream?.p50Ms, timings.ours?.p50Ms),
    bytes > 1e5 ? `${(bytes / 1e6).toFixed(2)} MB` : `${bytes} B`,
    writingShare === undefined ? "-" : `${(writingShare * 100).toFixed(0)} %`,
  ];
}

if (import.meta.main) {
  const text = Deno.readTextFileSync(Deno.args[0] ?? RESULT_FILE);
  Deno.writeTextFileSync(PAGE, renderPage(JSON.parse(text) as BenchResults));
  print(`wrote ${PAGE}`);
}
