/** All samples of a job at full precision, made while they are sent (web R14). Main thread. */
import {
  isMetricScope,
  METRIC_SCOPES,
  type MetricScope,
} from "../../config/clusters/metric_scope.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobRow } from "../../db/job_row.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
} from "../../http/api_route.ts";
import type { NamedMetric } from "../../jobs/data/job_data.ts";
import { writeNamedMetric } from "../../jobs/data/job_data_json.ts";
import { LEADING_NULLS_MAX } from "../../jobs/data/leading_nulls.ts";
import type { AskedMetrics } from "../../jobs/api/asked_metrics.ts";
import { nextTurn } from "../../jobs/data/turn.ts";
import { JOB_ID, requireJob } from "../../jobs/lifecycle/job_access.ts";
import { writtenAnswer } from "../../jobs/api/data_answer.ts";
import { inScope, readJobMetrics } from "./job_metrics_reading.ts";
import type { PageServices } from "./services.ts";

/** Lines of CSV handed over at a time: about a millisecond's work. */
const LINES = 2000;
const METRICS_MAX = 128;
const KEYS = new Set(["format", "metric", "scope"]);

async function download(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { format, metrics, scope } = questionOf(call.search);
  const job = await requireJob(services.jobs, call, "E_NOT_FOUND");
  call.audit(`samples of job ${job.jobId} of ${job.user}`);
  const reading = await readJobMetrics(services.jobs, call, job, {
    scope,
    ...(metrics.length === 0 ? {} : { metrics }),
  });
  const headers = {
    "Content-Disposition": `attachment; filename="${fileName(job, format)}"`,
    "Cache-Control": "no-store",
  };
  if (format === "json") {
    const answer = writtenAnswer(reading, async function* (out) {
      let separator = "{";
      for await (const named of reading.metrics) {
        out.raw(separator);
        separator = ",";
        yield* writeNamedMetric(out, onlyScope(named, scope));
      }
      out.raw(separator === "{" ? "{}" : "}");
    });
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }
  return {
    status: 200,
    headers: { ...headers, "Content-Type": "text/csv; charset=utf-8" },
    body: {
      pieces: csvPieces(job, reading, scope),
      close: () => reading.close(),
    },
  };
}

function questionOf(search: URLSearchParams): {
  readonly format: "csv" | "json";
  readonly metrics: readonly string[];
  readonly scope: MetricScope;
} {
  for (const [key, value] of search) {
    if (!KEYS.has(key)) throw bad(key, value, "not a key of a download");
  }
  const format = search.get("format") ?? "csv";
  if (format !== "csv" && format !== "json") {
    throw bad("format", format, "csv or json is expected");
  }
  const scope = search.get("scope") ?? "node";
  if (!isMetricScope(scope)) {
    throw bad("scope", scope, `one of ${METRIC_SCOPES.join(", ")} is expected`);
  }
  const metrics = search.getAll("metric");
  if (metrics.length > METRICS_MAX) {
    throw bad("metric", metrics[METRICS_MAX] ?? "", `at most ${METRICS_MAX}`);
  }
  return { format, metrics, scope };
}

function bad(key: string, value: string, what: string): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `${key}: ${what}, got ${JSON.stringify(value.slice(0, 60))}`,
  );
}

/** A name of letters, digits, dots and dashes, for any file system. */
function fileName({ cluster, jobId }: JobRow, format: string): string {
  const safe = cluster.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 60);
  return `job-${jobId}-${safe}.${format}`;
}

function onlyScope(named: NamedMetric, scope: MetricScope): NamedMetric {
  const found = inScope(named, scope);
  return {
    name: named.name,
    scopes: new Map(found === undefined ? [] : [found]),
  };
}

async function* csvPieces(
  job: JobRow,
  { metrics, dataStart }: AskedMetrics,
  scope: MetricScope,
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let lines = ["metric,scope,host,id,unit,time,utc,value"];
  const take = () => {
    const bytes = encoder.encode(lines.join("\r\n") + "\r\n");
    lines = [];
    return bytes;
  };
  for await (const named of metrics) {
    const found = inScope(named, scope);
    if (found === undefined) continue;
    const [name, { unit, timestep, series }] = found;
    const before = Math.floor(
      ((dataStart ?? job.startTime) - job.startTime) / timestep,
    );
    const baseSec = job.startTime +
      (before > LEADING_NULLS_MAX ? before * timestep : 0);
    for (const { hostname, id = "", data, leadingNulls = 0 } of series) {
      const head = [
        named.name,
        name,
        hostname,
        id,
        `${unit.prefix ?? ""}${unit.base}`,
      ].map(cell).join(",");
      for (let i = 0; i < data.length; i++) {
        const value = data[i]!;
        if (Number.isNaN(value)) continue;
        const sec = baseSec + (leadingNulls + i) * timestep;
        const utc = new Date(sec * 1000).toISOString().replace(".000", "");
        lines.push(`${head},${sec},${utc},${value}`);
        if (lines.length < LINES) continue;
        yield take();
        await nextTurn();
      }
    }
  }
  yield take();
}

/** A text of a table: spreadsheets take what begins like a formula for one. */
export function cell(text: string): string {
  const guarded = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded)
    ? `"${guarded.replaceAll('"', '""')}"`
    : guarded;
}

export function downloadRoutes(services: PageServices): readonly ApiRoute[] {
  const bound = bindTo(services);
  return [{
    kind: "api",
    group: "web",
    path: "/web/api/jobs/:id/download",
    name: "web-job-download",
    operations: {
      GET: {
        id: "webJobDownload",
        summary: "The samples of a job, at full precision",
        parameters: [
          JOB_ID,
          {
            name: "format",
            type: "string",
            rules: { enum: ["csv", "json"] },
            description: "Absent: csv.",
          },
          {
            name: "metric",
            type: "string",
            repeated: true,
            description: "Names; none: all.",
          },
          {
            name: "scope",
            type: "string",
            rules: { enum: METRIC_SCOPES },
            description: "Absent: node.",
          },
        ],
        answer: { type: "text/csv" },
        errors: { 404: "There is no such job, or it is not yours to see." },
        audited: true,
        handle: bound(download),
      },
    },
  }];
}
