/**
 * Questions by the Prometheus API: `query`, `query_range`, `series`, `labels` and
 * values of a label (prometheus-api 1 and 2). Main thread: it reads parameters and
 * hands questions over; evaluators make the bodies.
 */
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type {
  QueryAnswer,
  QueryJob,
  QueryQuestion,
} from "../../metricstore/engine/query_jobs.ts";
import { ClientError } from "../../base/errors.ts";
import type {
  ApiAnswer,
  ApiCall,
  ApiMethod,
  ApiOperation,
} from "../../http/api_route.ts";
import type { Parameter } from "../../http/route.ts";
import { JSON_ANSWER } from "./envelope.ts";
import { invalid, Parameters } from "./parameters.ts";
import type { PrometheusServices } from "./services.ts";

const ANSWER_BYTES_MAX = 256 << 20;
/** Grafana sends one, or two; a union of names is one with a pattern. */
const SELECTORS_MAX = 100;
/** All of time, as far as samples can lie. */
export const ALL_TIME = {
  startMs: -8_640_000_000_000_000,
  endMs: 8_640_000_000_000_000,
} as const;
/** Instructions against a lookback that never ends. */
const LOOKBACK_MS_MAX = 100 * 366 * 86_400_000;

function parameter(name: string, description: string): Parameter {
  return { name, type: "string", description };
}

const QUERY = parameter("query", "An expression in PromQL.");
const TIMEOUT = parameter("timeout", "Seconds or a duration, such as 30s.");
const LOOKBACK = parameter(
  "lookback_delta",
  "How long a sample counts: seconds or a duration.",
);
const LIMIT = parameter("limit", "Series or names at most; 0: all.");
const STATS = parameter("stats", "With a value the answer says what it cost.");
const START = parameter("start", "Unix seconds or RFC 3339.");
const END = parameter("end", "Unix seconds or RFC 3339.");
const MATCH: Parameter = {
  ...parameter("match[]", "A selector of series; several are a union."),
  repeated: true,
};

/** What the scope of the caller allows: throws `E_FORBIDDEN` or `E_UNAUTHENTICATED`. */
export function readScope(call: ApiCall): DataScope {
  const scope = call.principal.dataScope(
    "query",
    call.headers["x-scope-orgid"],
  );
  if (scope.owner === undefined) return scope;
  throw new ClientError(
    "E_FORBIDDEN",
    "users and managers see the metrics of their jobs by /api/query and " +
      "/userapi; PromQL needs one of the roles admin, support, api alone " +
      "(or main.open-metrics)",
  );
}

/** Throws `E_NOT_FOUND` where nobody evaluates queries. */
export function servicesOf({ services }: ApiCall): PrometheusServices {
  if (services.prometheus !== undefined) return services.prometheus;
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

/** The two methods of a route that takes parameters by either. */
export function getAndPost(
  id: string,
  operation: Omit<ApiOperation, "id">,
): Readonly<Partial<Record<ApiMethod, ApiOperation>>> {
  return {
    GET: { ...operation, id },
    POST: {
      ...operation,
      id: `${id}Post`,
      body: {
        type: "application/x-www-form-urlencoded",
        description: "The same parameters as in the URL, which count as well.",
        required: false,
      },
    },
  };
}

/** Operations by the path below the prefix. */
export function queryOperations(): Readonly<
  Record<string, Readonly<Partial<Record<ApiMethod, ApiOperation>>>>
> {
  const ask = (
    call: ApiCall,
    given: Parameters,
    question: QueryQuestion,
    extra: Pick<QueryJob, "withStats"> & { readonly lookbackMs?: number },
  ) => answer(servicesOf(call), call, given, question, extra);
  return {
    "query": getAndPost("promQuery", {
      summary: "Evaluate an expression at one time",
      parameters: [
        QUERY,
        parameter("time", "Unix seconds or RFC 3339; absent: now."),
        TIMEOUT,
        LOOKBACK,
        LIMIT,
        STATS,
      ],
      answer: JSON_ANSWER,
      handle: (call) => {
        const given = parametersOf(call);
        return ask(call, given, {
          kind: "instant",
          query: given.text("query"),
          timeMs: given.timeMs("time", call.nowMs),
        }, queryExtra(given));
      },
    }),
    "query_range": getAndPost("promQueryRange", {
      summary: "Evaluate an expression at steps of a range",
      parameters: [
        QUERY,
        START,
        END,
        parameter("step", "Seconds or a duration."),
        TIMEOUT,
        LOOKBACK,
        LIMIT,
        STATS,
      ],
      answer: JSON_ANSWER,
      handle: (call) => {
        const given = parametersOf(call);
        return ask(call, given, {
          kind: "range",
          query: given.text("query"),
          ...rangeOf(given),
        }, queryExtra(given));
      },
    }),
    "series": getAndPost("promSeries", {
      summary: "Label sets of series",
      parameters: [MATCH, START, END, LIMIT],
      answer: JSON_ANSWER,
      handle: (call) => {
        const given = parametersOf(call);
        const matches = selectorsOf(given);
        if (matches.length === 0) {
          throw new ClientError(
            "E_BAD_REQUEST",
            "no match[] parameter provided",
          );
        }
        return ask(call, given, {
          kind: "series",
          matches,
          ...timesOf(given),
        }, { withStats: false });
      },
    }),
    "labels": getAndPost("promLabels", {
      summary: "Names of labels",
      parameters: [MATCH, START, END, LIMIT],
      answer: JSON_ANSWER,
      handle: (call) => {
        const given = parametersOf(call);
        return ask(call, given, {
          kind: "labels",
          matches: selectorsOf(given),
          ...timesOf(given),
        }, { withStats: false });
      },
    }),
    "label/:name/values": {
      GET: {
        id: "promLabelValues",
        summary: "Values of a label",
        parameters: [MATCH, START, END, LIMIT],
        answer: JSON_ANSWER,
        handle: (call) => {
          const given = parametersOf(call);
          return ask(call, given, {
            kind: "values",
            label: unescapeName(call.params["name"] ?? ""),
            matches: selectorsOf(given),
            ...timesOf(given),
          }, { withStats: false });
        },
      },
    },
  };
}

/** The selectors of a request, each of which goes through the series of all shards. */
function selectorsOf(given: Parameters): string[] {
  const selectors = [...new Set(given.all("match[]"))];
  if (selectors.length <= SELECTORS_MAX) return selectors;
  throw invalid(
    "match[]",
    `${selectors.length} selectors are given, at most ${SELECTORS_MAX} are answered`,
  );
}

function queryExtra(given: Parameters) {
  const lookbackMs = given.durationMs("lookback_delta");
  if (lookbackMs !== undefined && !(lookbackMs > 0)) {
    throw invalid("lookback_delta", "it must be more than 0");
  }
  return {
    withStats: given.text("stats") !== "",
    ...(lookbackMs === undefined
      ? {}
      : { lookbackMs: Math.min(lookbackMs, LOOKBACK_MS_MAX) }),
  };
}

function rangeOf(given: Parameters) {
  const startMs = given.timeMs("start", undefined);
  const endMs = given.timeMs("end", undefined);
  if (endMs < startMs) {
    throw invalid("end", "end timestamp must not be before start time");
  }
  const stepMs = given.durationMs("step");
  if (stepMs === undefined) {
    throw invalid("step", 'cannot parse "" to a valid duration');
  }
  if (!(stepMs > 0)) {
    throw invalid(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if ((endMs - startMs) / stepMs > 11_000) {
    throw new ClientError(
      "E_BAD_REQUEST",
      "exceeded maximum resolution of 11,000 points per timeseries. " +
        "Try decreasing the query resolution (?step=XX)",
    );
  }
  return { startMs, endMs, stepMs };
}

function timesOf(given: Parameters) {
  const startMs = given.timeMs("start", ALL_TIME.startMs);
  const endMs = given.timeMs("end", ALL_TIME.endMs);
  if (endMs < startMs) {
    throw invalid("end", "end timestamp must not be before start time");
  }
  return { startMs, endMs };
}

/** A name that begins with `U__` has its other characters as `_HEX_` (prometheus-api 2.5). */
export function unescapeName(name: string): string {
  if (!name.startsWith("U__")) return name;
  return name.slice(3).replace(
    /__|_([0-9A-Fa-f]{1,6})_/g,
    (all, hex: string | undefined) => {
      if (hex === undefined) return "_";
      const code = parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}

async function answer(
  services: PrometheusServices,
  call: ApiCall,
  given: Parameters,
  question: QueryQuestion,
  extra: Pick<QueryJob, "withStats"> & { readonly lookbackMs?: number },
): Promise<ApiAnswer> {
  const wanted = given.durationMs("timeout");
  if (wanted !== undefined && !(wanted > 0)) {
    throw invalid("timeout", "it must be more than 0");
  }
  const { status, chunks, retryAfterSec } = await evaluate(services, call, {
    question,
    limit: given.limit("limit"),
    timeoutMs: Math.min(wanted ?? Infinity, services.settings.timeoutMs),
    ...extra,
  });
  return {
    status,
    headers: {
      "Content-Type": "application/json",
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

/** Has a question evaluated when it is the caller's turn, and ended when the caller goes. */
export function evaluate(
  { settings, queue, evaluator }: PrometheusServices,
  call: ApiCall,
  asked: Omit<QueryJob, "maxSamples" | "maxSeries" | "maxAnswerBytes">,
): Promise<QueryAnswer> {
  const scope = readScope(call);
  const job: QueryJob = {
    ...asked,
    maxSamples: scope.maxQuerySamples > 0
      ? Math.min(scope.maxQuerySamples, settings.maxSamples)
      : settings.maxSamples,
    maxSeries: settings.maxSeries,
    maxAnswerBytes: ANSWER_BYTES_MAX,
  };
  const gone = new AbortController();
  call.whenGone(() =>
    // Nobody reads it; it ends what waits.
    gone.abort(new ClientError("E_UNPROCESSABLE", "query was canceled"))
  );
  return queue.run(
    call.principal.shareKey,
    gone.signal,
    () => evaluator.evaluate(scope, job, gone.signal),
  );
}
