/**
 * Questions by the Prometheus API: `query`, `query_range`, `series`, `labels` and
 * values of a label (prometheus-api 1 and 2). Main thread: it reads parameters and
 * hands questions over; evaluators make the bodies.
 */
import { ClientError } from "../../base/errors.ts";
import type { ApiMethod, ApiOperation } from "../../http/api_route.ts";
import type { Parameter } from "../../http/route.ts";
import { answer, parametersOf } from "./answer_query.ts";
import { JSON_ANSWER } from "./envelope.ts";
import { invalidParameter } from "../language/parameter_error.ts";
import type { Parameters } from "./parameters.ts";
import type { PrometheusServices } from "./services.ts";

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
export function queryOperations(
  services: PrometheusServices | undefined,
): Readonly<
  Record<string, Readonly<Partial<Record<ApiMethod, ApiOperation>>>>
> {
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
        return answer(services, call, given, {
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
        return answer(services, call, given, {
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
        return answer(services, call, given, {
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
        return answer(services, call, given, {
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
          return answer(services, call, given, {
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
  throw invalidParameter(
    "match[]",
    `${selectors.length} selectors are given, at most ${SELECTORS_MAX} are answered`,
  );
}

function queryExtra(given: Parameters) {
  const lookbackMs = given.durationMs("lookback_delta");
  if (lookbackMs !== undefined && !(lookbackMs > 0)) {
    throw invalidParameter("lookback_delta", "it must be more than 0");
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
    throw invalidParameter(
      "end",
      "end timestamp must not be before start time",
    );
  }
  const stepMs = given.durationMs("step");
  if (stepMs === undefined) {
    throw invalidParameter("step", 'cannot parse "" to a valid duration');
  }
  if (!(stepMs > 0)) {
    throw invalidParameter(
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
    throw invalidParameter(
      "end",
      "end timestamp must not be before start time",
    );
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
