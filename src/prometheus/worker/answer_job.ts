/**
 * One question to an evaluator, from its text to the body of its answer: parses,
 * selects, evaluates and writes; what goes wrong becomes the error of the envelope
 * (prometheus-api 2.1). Evaluator thread only.
 */
import { setImmediate } from "node:timers";
import { type CompilePattern, patternCompiler } from "../../base/pattern.ts";
import { monotonicMs } from "../../base/clock.ts";
import {
  errorTypeOf,
  type QueryAnswer,
  type QueryJob,
  type QueryQuestion,
  type SeriesQuestion,
} from "../../metricstore/engine/query_jobs.ts";
import { ClientError } from "../../base/errors.ts";
import {
  ALL_SERIES,
  LABEL_NAMES_ONLY,
} from "../../metricstore/transport/selection_messages.ts";
import { Budget, LABEL_CELLS, timedOut } from "../evaluate/budget.ts";
import {
  checkSteps,
  evaluateInstant,
  evaluateSteps,
  type QueryResult,
} from "../evaluate/evaluate.ts";
import { QueryError } from "../evaluate/query_error.ts";
import type { LabelMatcher } from "../language/ast.ts";
import { namingParameter } from "../language/parameter_error.ts";
import { parseExpr, parseMetricSelector } from "../language/parser.ts";
import type { CellPool, HeldCells } from "./cell_pool.ts";
import { foundNames } from "./found_names.ts";
import { JsonBody, writeResult } from "./json_body.ts";
import type { ShardClient } from "./shard_client.ts";
import { ShardSource, type Visible } from "./shard_source.ts";

/** Timers count no further than this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Warned of where the answer has fewer series or names than there are. */
const TRUNCATED = "results truncated due to limit";

export interface JobContext {
  readonly client: ShardClient;
  readonly visible: Visible;
  readonly job: QueryJob;
  readonly signal: AbortSignal;
  /** The longest that a sample of any series counts, milliseconds. */
  readonly usualLookbackMs: number;
  /** Shared by all queries of the evaluator. */
  readonly pool: CellPool;
}

interface Asked extends JobContext {
  readonly source: ShardSource;
  readonly cells: HeldCells;
}

/** Answers; rejects only where something is broken. */
export async function answerJob(given: JobContext): Promise<QueryAnswer> {
  const startedMs = monotonicMs();
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(timedOut()),
    Math.min(given.job.timeoutMs, TIMER_MS_MAX),
  );
  // Also while it waits for shards the time of a query can be over.
  const signal = AbortSignal.any([given.signal, late.signal]);
  const source = new ShardSource(
    given.client,
    given.visible,
    given.job.lookbackMs !== undefined || isAboutNames(given.job.question),
  );
  const cells = given.pool.open();
  const asked = { ...given, signal, source, cells };
  const written = await writeAnswer(asked, startedMs)
    .catch(errorAnswer)
    .finally(() => {
      clearTimeout(timer);
      cells.close();
    });
  return {
    ...written,
    seconds: (monotonicMs() - startedMs) / 1000,
    samplesRead: source.samplesRead,
  };
}

type Written = Omit<QueryAnswer, "seconds" | "samplesRead">;

function isAboutNames({ kind }: QueryQuestion): boolean {
  return kind !== "instant" && kind !== "range";
}

async function writeAnswer(
  context: Asked,
  startedMs: number,
): Promise<Written> {
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
  return { status: 200, outcome: "success", chunks: body.end() };
}

function controlOf({ job, signal, cells }: Asked, startedMs: number) {
  return {
    signal,
    onHold: cells.add,
    isTimeOver: () => monotonicMs() - startedMs > job.timeoutMs,
    // Other queries of this thread get their turn.
    betweenSlices: () =>
      new Promise<void>((resolve) => setImmediate(() => resolve())),
  };
}

async function answerQuery(
  context: Asked,
  startedMs: number,
  body: JsonBody,
): Promise<void> {
  const { job, source } = context;
  const { question } = job;
  if (question.kind !== "instant" && question.kind !== "range") return;
  const control = controlOf(context, startedMs);
  const options = {
    limits: { maxSamples: job.maxSamples, maxSeries: job.maxSeries },
    lookbackMs: job.lookbackMs ?? context.usualLookbackMs,
    control,
  };
  const expr = namingParameter("query", () => {
    const parsed = parseExpr(question.query);
    if (question.kind === "range") checkSteps(parsed, question);
    return parsed;
  });
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
  context: Asked,
  question: SeriesQuestion,
  startedMs: number,
  body: JsonBody,
): Promise<void> {
  const { kind, label = "", startMs, endMs } = question;
  const { job, source, signal } = context;
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
  const compile = patternCompiler();
  const selectors = question.matches.map((text) =>
    parseSelector(text, compile)
  );
  const found = foundNames(kind, label, {
    limit: job.limit,
    maxBytes: job.maxAnswerBytes,
  });
  for (const matchers of selectors.length === 0 ? [[]] : selectors) {
    budget.check();
    // A sample at the very start counts, too.
    const series = source.names(matchers, startMs - 1, endMs, only, signal);
    for await (const labels of series) {
      found.add(labels);
      if (found.isFull) await found.trim(budget);
      if (budget.isDue(LABEL_CELLS)) await budget.pause();
    }
  }
  const { entries, isCut } = await found.finish(budget);
  body.add('{"status":"success","data":[');
  let isFirst = true;
  for (const entry of entries) {
    body.add(isFirst ? entry : `,${entry}`);
    isFirst = false;
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
  }
  body.add("]");
  if (isCut) body.add(`,"warnings":${JSON.stringify([TRUNCATED])}`);
  body.add("}");
}

/** A `match[]`. Throws where it is no selector, or one that selects everything. */
function parseSelector(
  text: string,
  compile: CompilePattern,
): readonly LabelMatcher[] {
  return namingParameter("match[]", () => {
    const selector = parseMetricSelector(text, compile);
    if (selector !== undefined) return selector.matchers;
    throw new ClientError(
      "E_BAD_REQUEST",
      "match[] must contain at least one non-empty matcher",
    );
  });
}

/** Status and body of what went wrong. Our own mistakes are thrown on: their details stay inside. */
function errorAnswer(error: unknown): Written {
  if (!(error instanceof ClientError) || error.code === "E_INTERNAL") {
    throw error;
  }
  const status = error instanceof QueryError && error.errorType === "canceled"
    ? 499
    : error.status;
  const errorType = error instanceof QueryError
    ? error.errorType
    : errorTypeOf(status);
  const text = JSON.stringify({
    status: "error",
    errorType,
    error: error.message,
  });
  return {
    status,
    outcome: errorType,
    chunks: [new TextEncoder().encode(text)],
    ...(error.retryAfterSec === undefined
      ? {}
      : { retryAfterSec: error.retryAfterSec }),
  };
}
