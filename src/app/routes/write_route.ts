/**
 * `/api/write`: line protocol goes to the engine as it arrives, and the answer
 * waits until every shard has its lines. Main thread; nothing is parsed here.
 */
import { z } from "zod";
import { monotonicMs } from "../../base/clock.ts";
import {
  type Batch,
  type BatchOptions,
  MAX_LINE_ERRORS,
  type RejectReason,
  type WriteReport,
} from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { InstanceRate } from "../../base/ingest_rates.ts";
import { requireWritable } from "./engine_state.ts";
import { ERROR_SCHEMA, reasonPhrase } from "../../http/answer/error_answer.ts";
import type { Exchange } from "../../http/exchange.ts";
import { RETRY_AFTER_SEC } from "../../http/limits.ts";
import { RatedBatch } from "../../http/rated_batch.ts";
import type { MetricServices } from "./services.ts";
import { pumpBody } from "../../http/body/request_body.ts";

const countSchema = z.record(z.string(), z.int());

/** The error object of a write; the counts are there if its lines were looked at. */
export const refusedWriteSchema = ERROR_SCHEMA.extend({
  stored: z.int().optional().describe("Samples stored all the same."),
  rejected: countSchema.optional().describe("Lines refused, by reason."),
  skipped: countSchema.optional().describe(
    "Lines passed over without being wrong, by reason.",
  ),
  errors: z.array(z.object({
    line: z.int().describe("Number of the line, from 1."),
    reason: z.string(),
    message: z.string(),
  })).optional().describe(
    `The first refused lines, ${MAX_LINE_ERRORS} at most.`,
  ),
}).meta({ id: "RefusedWrite" });

type Headers = Record<string, string | number>;

export function handleWrite(
  services: MetricServices,
  exchange: Exchange,
): void {
  exchange.about = () => ({ cluster: clusterParameter(exchange) || undefined });
  exchange.authorize("write", (scope) => {
    const { engine, access, ingestRates } = services;
    exchange.shareClass = "write";
    requireWritable(engine);
    const instance = scope.instance === ""
      ? undefined
      : access.instance(scope.instance);
    const rate = instance && ingestRates.of(instance);
    rate?.admit();
    if (!exchange.hasBody()) {
      exchange.send(200, { "Content-Type": "application/json" }, "");
      return;
    }
    const defaultCluster = clusterParameter(exchange) ||
      (instance?.cluster ?? "");
    takeIn(services, exchange, { scope, defaultCluster }, rate);
  });
}

function clusterParameter(exchange: Exchange): string {
  if (exchange.search === "") return "";
  return exchange.parameters().get("cluster") ?? "";
}

function takeIn(
  { engine }: MetricServices,
  exchange: Exchange,
  options: BatchOptions,
  rate: InstanceRate | undefined,
): void {
  // Opened with the first bytes: by then the request has room in flight.
  let batch: Batch | undefined;
  let checkedMs = monotonicMs();
  const open = () =>
    batch ??= engine.openBatch({
      ...options,
      mayBeGivenUp: true,
    });
  const rated = rate && new RatedBatch(rate, open);
  const settled = (report: WriteReport) => rated?.settle(report) ?? report;
  const push = (chunk: Uint8Array) => {
    const wait = (rated ?? open()).push(chunk);
    const { givenUp } = open();
    if (givenUp === undefined) return wait;
    answer(exchange, settled(givenUp));
    // It is answered: this only ends the reading.
    throw new ClientError("E_BAD_REQUEST", "the batch was given up");
  };
  pumpBody(exchange, {
    push(chunk) {
      const now = monotonicMs();
      if (now - checkedMs < exchange.context.limits.recheckMs) {
        return push(chunk);
      }
      checkedMs = now;
      const again = exchange.mayStill("write");
      return again === undefined ? push(chunk) : again.then(() => push(chunk));
    },
    get heldBytes() {
      return batch?.heldBytes ?? 0;
    },
    end() {
      open().end().then((report) => answer(exchange, settled(report)))
        .catch((error) => exchange.fail(error));
    },
    broken() {
      batch?.abort();
    },
  });
}

/** Names in a header; the log of the server has more. */
const HEADER_NAMES_MAX = 5;

/**
 * The first metrics that were passed over, as `unknown-metric=CLUSTER/METRIC`, joined
 * like the counts; what no header may hold is percent-encoded.
 */
function skippedNames({ unknown = [] }: WriteReport): string {
  return unknown
    .flatMap(({ cluster, metrics }) =>
      metrics.map((metric) =>
        `unknown-metric=${inHeader(cluster)}/${inHeader(metric)}`
      )
    )
    .slice(0, HEADER_NAMES_MAX)
    .join(", ");
}

function inHeader(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

function answer(exchange: Exchange, report: WriteReport): void {
  const headers: Headers = { "Content-Type": "application/json" };
  const skipped = Object.entries(report.skipped).filter(([, count]) =>
    count > 0
  );
  if (skipped.length > 0) {
    headers["X-Skipped"] = skipped.map(([reason, count]) =>
      `${reason}=${count}`
    ).join(", ");
  }
  const names = skippedNames(report);
  if (names !== "") headers["X-Skipped-Names"] = names;
  const status = writeStatus(report);
  if (status === 200) {
    exchange.send(200, headers, "");
    return;
  }
  tellRefusedLines(exchange, status, report);
  if (status === 429) headers["Retry-After"] = RETRY_AFTER_SEC;
  exchange.send(status, headers, rejectionBody(status, report));
}

function tellRefusedLines(
  exchange: Exchange,
  status: number,
  { errors, lines, rejected }: WriteReport,
): void {
  exchange.context.machineLog.warn(
    "lines were refused",
    () => ({
      ...exchange.requestFields(),
      status,
      lines,
      rejected,
      reason: errors[0]?.message,
    }),
    `lines ${status}`,
  );
}

/** Refused lines whose status is another than 400; the first of them counts. */
const STATUS_BY_REASON: readonly [RejectReason, 403 | 429][] = [
  ["forbidden", 403],
  // Sending the batch again later may succeed.
  ["rate", 429],
  ["instance-series", 429],
  ["memory-cap", 429],
];

/** Forbidden lines before those too many before mistakes, whatever else is there. */
export function writeStatus(report: WriteReport): 200 | 400 | 403 | 429 {
  for (const [reason, status] of STATUS_BY_REASON) {
    if ((report.rejected[reason] ?? 0) > 0) return status;
  }
  return rejectedLines(report) > 0 || report.givenUpAt !== undefined
    ? 400
    : 200;
}

function rejectedLines(report: WriteReport): number {
  let count = 0;
  for (const reasonCount of Object.values(report.rejected)) {
    count += reasonCount;
  }
  return count;
}

/**
 * The error object of a batch with refused lines: what was kept, and why not all.
 * The engine's messages begin with the line number.
 */
export function rejectionBody(status: number, report: WriteReport): string {
  const first = report.errors[0];
  const cause = first === undefined ? "" : `${first.message}; `;
  const end = report.givenUpAt === undefined
    ? ""
    : `; reading stopped at line ${report.givenUpAt}, since hardly a line before it could be read`;
  return JSON.stringify({
    status: reasonPhrase(status),
    error: `${cause}${
      rejectedLines(report)
    } of ${report.lines} lines rejected${end}`,
    stored: report.stored,
    rejected: report.rejected,
    skipped: report.skipped,
    errors: report.errors,
  }) + "\n";
}
