/** How an error reads on the wire. */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { ClientError, type ErrorCode } from "../../base/errors.ts";
import { errorText } from "../../base/log.ts";
import type { HttpContext } from "../http_context.ts";
import { RETRY_AFTER_SEC } from "../limits.ts";
import type { HttpMetrics } from "../http_metrics.ts";
import { errorTypeOf } from "../../metricstore/engine/query_jobs.ts";

/** The error object of the contract. */
export const ERROR_SCHEMA = z.object({
  status: z.string().describe("The status in words."),
  error: z.string().describe("What is wrong."),
}).meta({ id: "Error" });

/**
 * The dialects: metric routes and pages say 401 as text, the job API as JSON, the admin API
 * calls every status `error`, and so does the Prometheus API, with a type besides.
 */
export type ErrorStyle = "metric" | "page" | "job" | "admin" | "prometheus";

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: string;
}

/** Of a request that failed: for the log. */
export interface FailedRequest {
  readonly route: string;
  readonly from: string;
  /** Whoever was found to ask, if that is what was found. */
  readonly who?: string | undefined;
}

/** The error object as text, with its newline. */
export function errorObject(
  status: number,
  message: string,
  style: ErrorStyle = "metric",
): string {
  if (style === "prometheus") {
    const errorType = errorTypeOf(status);
    return JSON.stringify({ status: "error", errorType, error: message });
  }
  const word = style === "admin" ? "error" : reasonPhrase(status);
  const value = style === "job" && status === 401
    ? { error: message, status: word }
    : { status: word, error: message };
  return JSON.stringify(value) + "\n";
}

export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "Error";
}

/**
 * Turns an error into an answer. Anything but a `ClientError` is our fault, and so
 * is `E_INTERNAL`, by which other threads report theirs: it is logged with its
 * stack, and the client learns no more than that. Refusals are counted and logged.
 */
export function errorAnswer(
  error: unknown,
  context: Pick<HttpContext, "log" | "audit"> & {
    metrics: Pick<HttpMetrics, "countDenied">;
  },
  style: ErrorStyle = "metric",
  request?: FailedRequest,
): ErrorAnswer {
  if (!(error instanceof ClientError) || error.code === "E_INTERNAL") {
    const stack = error instanceof Error ? error.stack : undefined;
    context.log.err("a request failed", {
      route: request?.route,
      error: errorText(error),
      stack,
    });
    return {
      status: 500,
      headers: { "Content-Type": "application/json" },
      body: errorObject(500, "internal error", style),
    };
  }
  const reason = deniedReason(error.code);
  if (reason !== undefined) {
    context.metrics.countDenied(reason);
    context.audit.refused({
      reason,
      who: request?.who,
      from: request?.from,
      route: request?.route,
      message: error.message,
    });
  }
  const { status, message } = error;
  const headers: Record<string, string | number> = {
    "Content-Type": "application/json",
  };
  if (status === 503 || error.retryAfterSec !== undefined) {
    headers["Retry-After"] = error.retryAfterSec ?? RETRY_AFTER_SEC;
  }
  if (status === 401) {
    headers["WWW-Authenticate"] = style === "admin"
      ? 'Basic realm="ringstore"'
      : "Bearer";
    if (style === "metric" || style === "page") {
      // Clients of upstream read this one as text.
      headers["Content-Type"] = "text/plain; charset=utf-8";
      return { status, headers, body: message + "\n" };
    }
  }
  return { status, headers, body: errorObject(status, message, style) };
}

function deniedReason(code: ErrorCode): string | undefined {
  if (code === "E_UNAUTHENTICATED") return "unauthenticated";
  return code === "E_FORBIDDEN" ? "forbidden" : undefined;
}
