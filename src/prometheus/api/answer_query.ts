/**
 * The way of a question through the main thread: who may ask, when it is its turn, how
 * long it may take, and what is counted of it.
 */
import { monotonicMs } from "../../base/clock.ts";
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import {
  errorTypeOf,
  type QueryAnswer,
  type QueryJob,
  type QueryQuestion,
} from "../../metricstore/engine/query_jobs.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { QueryError } from "../evaluate/query_error.ts";
import { invalidParameter } from "../language/parameter_error.ts";
import { failure } from "./envelope.ts";
import { Parameters } from "./parameters.ts";
import type { PrometheusServices } from "./services.ts";

const ANSWER_BYTES_MAX = 256 << 20;
/** Timers count no further than this. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const RETRY_AFTER_SEC = 1;

const ENDPOINTS: Readonly<Record<QueryQuestion["kind"], string>> = {
  instant: "query",
  range: "query_range",
  series: "series",
  labels: "labels",
  values: "values",
};

/**
 * Throws `E_FORBIDDEN` for people who may only see what is theirs, which no query can
 * be kept to: they get nothing of this API (settled 46, prometheus-api 15.3).
 */
export function refusePeople({ principal }: ApiCall): void {
  if (!principal.seesOwnJobsOnly) return;
  throw new ClientError(
    "E_FORBIDDEN",
    "users and managers see the metrics of their jobs by /api/query and " +
      "/userapi; PromQL needs one of the roles admin, support, api alone " +
      "(or main.open-metrics)",
  );
}

/** The part of the store that the caller may see. Throws `E_FORBIDDEN` or `E_UNAUTHENTICATED`. */
export function readScope(call: ApiCall): DataScope {
  refusePeople(call);
  return call.principal.dataScope("query", call.headers["x-scope-orgid"]);
}

/** Throws `E_NOT_FOUND` where nobody evaluates queries. */
export function required(
  services: PrometheusServices | undefined,
): PrometheusServices {
  if (services !== undefined) return services;
  throw new ClientError("E_NOT_FOUND", "queries are not evaluated here");
}

export function parametersOf(call: ApiCall): Parameters {
  const type = call.headers["content-type"];
  return new Parameters(
    call.search,
    typeof type === "string" ? type : undefined,
    call.body,
  );
}

/** Answers a question with the parameters that all of them share. */
export async function answer(
  services: PrometheusServices | undefined,
  call: ApiCall,
  given: Parameters,
  question: QueryQuestion,
  extra: Pick<QueryJob, "withStats"> & { readonly lookbackMs?: number },
): Promise<ApiAnswer> {
  const { settings } = required(services);
  const wanted = given.durationMs("timeout");
  if (wanted !== undefined && !(wanted > 0)) {
    throw invalidParameter("timeout", "it must be more than 0");
  }
  const asked = {
    question,
    limit: given.limit("limit"),
    timeoutMs: Math.min(wanted ?? Infinity, settings.timeoutMs),
    ...extra,
  };
  const found = await evaluate(services, call, asked).catch((error) => {
    if (!(error instanceof QueryError)) throw error;
    return failure(error.status, error.errorType, error.message);
  });
  if ("body" in found) return found;
  const { status, chunks, outcome } = found;
  const retryAfterSec = found.retryAfterSec ??
    (outcome === "unavailable" ? RETRY_AFTER_SEC : undefined);
  return {
    status,
    headers: {
      "Content-Type": JSON_TYPE,
      ...(retryAfterSec === undefined
        ? {}
        : { "Retry-After": String(retryAfterSec) }),
    },
    body: {
      chunks,
      byteLength: chunks.reduce((sum, { length }) => sum + length, 0),
    },
  };
}

/**
 * Has a question evaluated when it is the caller's turn, and ended when the caller
 * goes or the time is over, in which the wait counts.
 */
export async function evaluate(
  services: PrometheusServices | undefined,
  call: ApiCall,
  asked: Omit<QueryJob, "maxSamples" | "maxSeries" | "maxAnswerBytes">,
): Promise<QueryAnswer> {
  const { settings, queue, stats, evaluator } = required(services);
  const endpoint = ENDPOINTS[asked.question.kind];
  const scope = readScope(call);
  const gone = new AbortController();
  // Nobody reads it; it ends what waits.
  call.whenGone(() =>
    gone.abort(new QueryError("canceled", "query was canceled"))
  );
  const askedMs = monotonicMs();
  const timer = setTimeout(
    () =>
      gone.abort(new QueryError("timeout", "query timed out in query queue")),
    Math.min(asked.timeoutMs, TIMER_MS_MAX),
  );
  try {
    const found = await queue.run(call.principal.shareKey, gone.signal, () => {
      // From here on the evaluator looks at the clock.
      clearTimeout(timer);
      const waitedMs = monotonicMs() - askedMs;
      stats.countWait(endpoint, waitedMs / 1000);
      return evaluator.evaluate(scope, {
        ...asked,
        timeoutMs: Math.max(0, asked.timeoutMs - waitedMs),
        maxSamples: scope.maxQuerySamples > 0
          ? Math.min(scope.maxQuerySamples, settings.maxSamples)
          : settings.maxSamples,
        maxSeries: settings.maxSeries,
        maxAnswerBytes: ANSWER_BYTES_MAX,
      }, gone.signal);
    });
    stats.countWork(endpoint, found.seconds, found.samplesRead);
    stats.countOutcome(endpoint, found.outcome);
    return found;
  } catch (error) {
    stats.countOutcome(endpoint, outcomeOf(error));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof QueryError) return error.errorType;
  return errorTypeOf(error instanceof ClientError ? error.status : 500);
}
