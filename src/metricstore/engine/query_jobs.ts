/**
 * Questions in a query language, as plain data: the HTTP server makes them of a
 * request, an evaluator answers them with a body that is ready to be sent.
 */
import type { DataScope } from "./data_scope.ts";

/** A question in PromQL. Times are milliseconds. */
export type QueryQuestion =
  | {
    readonly kind: "instant";
    readonly query: string;
    readonly timeMs: number;
  }
  | {
    readonly kind: "range";
    readonly query: string;
    readonly startMs: number;
    readonly endMs: number;
    readonly stepMs: number;
  }
  | SeriesQuestion;

/** Which series there are; each selector adds to the others. */
export interface SeriesQuestion {
  /** Label sets, names of labels, or values of one label. */
  readonly kind: "series" | "labels" | "values";
  /** Name of the label; only with the kind "values". */
  readonly label?: string;
  /** Selectors; none: all series. */
  readonly matches: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
}

/** A question with its bounds. */
export interface QueryJob {
  readonly question: QueryQuestion;
  /** How long a sample counts; absent: as long as is usual for its series. */
  readonly lookbackMs?: number;
  /** Series or names of the answer; 0: as many as there are. */
  readonly limit: number;
  /** The answer says what it cost. */
  readonly withStats: boolean;
  readonly timeoutMs: number;
  /** Cells that may be held at a time. */
  readonly maxSamples: number;
  /** Series that one selector may deliver to the evaluator. */
  readonly maxSeries: number;
  /** Bytes of the answer. */
  readonly maxAnswerBytes: number;
}

/** A finished answer: status and JSON body, errors included. */
export interface QueryAnswer {
  readonly status: number;
  /** `success`, or the type of the error. */
  readonly outcome: string;
  /** Time in the evaluator, and samples read there. */
  readonly seconds: number;
  readonly samplesRead: number;
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /** Seconds, with 503. */
  readonly retryAfterSec?: number;
}

/** The types of errors by status (prometheus-api 2.1). */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "bad_data",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "bad_data",
  408: "timeout",
  413: "bad_data",
  415: "bad_data",
  422: "execution",
  429: "too_many_requests",
  499: "canceled",
  503: "unavailable",
};

export function errorTypeOf(status: number): string {
  return ERROR_TYPES[status] ?? "internal";
}

/** An engine that evaluates queries. */
export interface QueryEvaluator {
  /**
   * Evaluates a question. A fault of the question is an answer, never a rejection.
   * `signal` aborts when the answer is not wanted any more.
   */
  evaluate(
    scope: DataScope,
    job: QueryJob,
    signal?: AbortSignal,
  ): Promise<QueryAnswer>;
}
