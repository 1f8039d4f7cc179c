/**
 * One question to an evaluator, from its text to the body of its answer: parses,
 * selects, evaluates and writes; what goes wrong becomes the error of the envelope
 * (prometheus-api 2.1). Evaluator thread only.
 */
import { setImmediate } from "node:timers";
import { monotonicMs } from "../../base/clock.ts";
import type {
  QueryAnswer,
  QueryJob,
  SeriesQuestion,
} from "../../metricstore/engine/query_jobs.ts";
import { ClientError } from "../../base/errors.ts";
import {
  ALL_SERIES,
  LABEL_NAMES_ONLY,
} from "../../metricstore/transport/selection_messages.ts";
import { Budget } from "../evaluate/budget.ts";
import {
  evaluateInstant,
  evaluateSteps,
  type QueryResult,
} from "../evaluate/evaluate.ts";
import { compareLabels, compareUtf8, type Labels } from "../evaluate/labels.ts";
import { QueryError } from "../evaluate/query_error.ts";
import type { LabelMatcher } from "../language/ast.ts";
import { compileMatcher } from "../language/matchers.ts";
import { parseExpr } from "../language/parser.ts";
import { JsonBody, labelsJson, writeResult } from "./json_body.ts";
import type { ShardClient } from "./shard_client.ts";
import { ShardSource, type Visible } from "./shard_source.ts";

/** Warned of where the answer has fewer series or names than there are. */
const TRUNCATED = "results truncated due to limit";

export interface JobContext {
  readonly client: ShardClient;
  readonly visible: Visible;
  readonly job: QueryJob;
  readonly signal: AbortSignal;
  /** The longest that a sample of any series counts, milliseconds. */
  readonly usualLookbackMs: number;
}

/** Answers; rejects only where something is broken. */
export async function answerJob(context: JobContext): Promise<QueryAnswer> {
  const startedMs = monotonicMs();
  try {
    const { question } = context.job;
    const body = new JsonBody(context.job.maxAnswerBytes);
    switch (question.kind) {
      case "instant":
      case "range":
        await answerQuery(context, startedMs, body);
        break;
      default:
        await answerNames(context, question, startedMs, body);
    }
    return { status: 200, chunks: body.end() };
  } catch (error) {
    return errorAnswer(error);
  }
}

function controlOf({ job, signal }: JobContext, startedMs: number) {
  return {
    signal,
    isTimeOver: () => monotonicMs() - startedMs > job.timeoutMs,
    // Other queries of this thread get their turn.
    betweenSlices: () =>
      new Promise<void>((resolve) => setImmediate(() => resolve())),
  };
}

async function answerQuery(
  context: JobContext,
  startedMs: number,
  body: JsonBody,
): Promise<void> {
  const { job, client, visible } = context;
  const { question } = job;
  if (question.kind !== "instant" && question.kind !== "range") return;
  const hasOwnLookback = job.lookbackMs !== undefined;
  const source = new ShardSource(client, visible, hasOwnLookback);
  const control = controlOf(context, startedMs);
  const options = {
    limits: { maxSamples: job.maxSamples, maxSeries: job.maxSeries },
    lookbackMs: job.lookbackMs ?? context.usualLookbackMs,
    control,
  };
  const expr = parseExpr(question.query);
  const result = question.kind === "instant"
    ? await evaluateInstant(expr, question.timeMs, source, options)
    : await evaluateSteps(expr, question, source, options);
  const evaluatedMs = monotonicMs();
  const budget = new Budget(options.limits, control);
  body.add('{"status":"success","data":');
  const isCut = await writeResult(
    body,
    result.data,
    job.limit,
    () => budget.pause(),
  );
  if (job.withStats) {
    body.add(statsJson(result, evaluatedMs - startedMs));
  }
  body.add("}");
  addRemarks(body, result, question.query, isCut);
  body.add("}");
}

/** Behind the data: what the query cost. Seconds. */
function statsJson({ usage }: QueryResult, evaluatedMs: number): string {
  const seconds = evaluatedMs / 1000;
  return `,"stats":${
    JSON.stringify({
      timings: {
        evalTotalTime: seconds,
        resultSortTime: 0,
        queryPreparationTime: 0,
        innerEvalTime: seconds,
        execQueueTime: 0,
        execTotalTime: seconds,
      },
      samples: {
        totalQueryableSamples: usage.samplesRead,
        peakSamples: usage.peakSamples,
      },
    })
  }`;
}

function addRemarks(
  body: JsonBody,
  { annotations }: QueryResult,
  query: string,
  isCut: boolean,
): void {
  const { warnings, infos } = annotations.texts(query);
  if (isCut) warnings.push(TRUNCATED);
  if (warnings.length > 0) body.add(`,"warnings":${JSON.stringify(warnings)}`);
  if (infos.length > 0) body.add(`,"infos":${JSON.stringify(infos)}`);
}

async function answerNames(
  context: JobContext,
  question: SeriesQuestion,
  startedMs: number,
  body: JsonBody,
): Promise<void> {
  const { kind, label = "", startMs, endMs } = question;
  const { job, client, visible, signal } = context;
  const source = new ShardSource(client, visible, true);
  const control = controlOf(context, startedMs);
  const budget = new Budget(
    { maxSamples: job.maxSamples, maxSeries: job.maxSeries },
    control,
  );
  const only = kind === "series"
    ? ALL_SERIES
    : kind === "labels"
    ? LABEL_NAMES_ONLY
    : label;
  const selectors = question.matches.map(parseSelector);
  const found = new Found(kind, label);
  for (const matchers of selectors.length === 0 ? [[]] : selectors) {
    // A sample at the very start counts, too.
    const series = source.names(matchers, startMs - 1, endMs, only, signal);
    for await (const labels of series) {
      found.add(labels);
      if (budget.isDue(10)) await budget.pause();
    }
  }
  const entries = found.sorted();
  const isCut = job.limit > 0 && entries.length > job.limit;
  body.add('{"status":"success","data":[');
  for (const [i, entry] of entries.entries()) {
    if (isCut && i >= job.limit) break;
    if (i > 0) body.add(",");
    body.add(entry);
    if (budget.isDue(10)) await budget.pause();
  }
  body.add("]");
  if (isCut) body.add(`,"warnings":${JSON.stringify([TRUNCATED])}`);
  body.add("}");
}

/** What was found, each once. */
class Found {
  readonly #kind: SeriesQuestion["kind"];
  readonly #label: string;
  readonly #texts = new Set<string>();
  readonly #series = new Map<string, Labels>();

  constructor(kind: SeriesQuestion["kind"], label: string) {
    this.#kind = kind;
    this.#label = label;
  }

  add(labels: Labels): void {
    if (this.#kind === "series") this.#series.set(labels.key, labels);
    else if (this.#kind === "labels") {
      for (const name of labels.names) this.#texts.add(name);
    } else {
      const value = labels.get(this.#label);
      if (value !== "") this.#texts.add(value);
    }
  }

  /** As JSON, in order. */
  sorted(): string[] {
    if (this.#kind === "series") {
      return [...this.#series.values()].sort(compareLabels).map(labelsJson);
    }
    return [...this.#texts].sort(compareUtf8).map((text) =>
      JSON.stringify(text)
    );
  }
}

/** A `match[]`. Throws where it is no selector, or one that selects everything. */
export function parseSelector(text: string): readonly LabelMatcher[] {
  const expr = parseExpr(text);
  if (expr.kind !== "vector-selector") {
    throw new ClientError(
      "E_BAD_REQUEST",
      `invalid parameter "match[]": ${text} is no selector of series`,
    );
  }
  if (expr.matchers.every((matcher) => compileMatcher(matcher)(""))) {
    throw new ClientError(
      "E_BAD_REQUEST",
      'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
    );
  }
  return expr.matchers;
}

/** The errors of the envelope by status (prometheus-api 2.1). */
const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "bad_data",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "bad_data",
  413: "bad_data",
  415: "bad_data",
  422: "execution",
  429: "too_many_requests",
  499: "canceled",
  500: "internal",
  503: "unavailable",
};

/** Status and body of what went wrong; details of our own mistakes stay inside. */
export function errorAnswer(error: unknown): QueryAnswer {
  if (!(error instanceof ClientError)) throw error;
  const status = error instanceof QueryError && error.errorType === "canceled"
    ? 499
    : error.status;
  const errorType = error instanceof QueryError
    ? error.errorType
    : TYPE_BY_STATUS[status] ?? "internal";
  const text = JSON.stringify({
    status: "error",
    errorType,
    error: error.message,
  });
  return {
    status,
    chunks: [new TextEncoder().encode(text)],
    ...(error.retryAfterSec === undefined
      ? {}
      : { retryAfterSec: error.retryAfterSec }),
  };
}
