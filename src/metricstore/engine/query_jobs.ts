/**
 * Questions in a query language, as plain data: the front door makes them of a
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
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /** Seconds, with 503. */
  readonly retryAfterSec?: number;
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
