/**
 * What clients ask besides series: metadata, the build, and lists that are empty
 * here (prometheus-api 1). They must be there: Grafana takes their absence for
 * another product. Main thread.
 */
import type { ApiCall, ApiMethod, ApiOperation } from "../../http/api_route.ts";
import { ClientError } from "../../base/errors.ts";
import { namingParameter } from "../language/parameter_error.ts";
import { parseExpr } from "../language/parser.ts";
import { prettify } from "../language/prettify.ts";
import { JSON_ANSWER, success } from "./envelope.ts";
import {
  evaluate,
  parametersOf,
  readScope,
  refusePeople,
  required,
} from "./answer_query.ts";
import { ALL_TIME, getAndPost } from "./query_routes.ts";
import type { PrometheusServices } from "./services.ts";

/** The version of the Prometheus API that is served: Grafana switches by it. */
const SERVED_VERSION = "3.14.0";

type Operations = Readonly<Partial<Record<ApiMethod, ApiOperation>>>;

/** A GET that answers `data`; `check` is asked whether the caller may: everybody but people. */
function get(
  id: string,
  summary: string,
  data: (call: ApiCall) => unknown | Promise<unknown>,
  check: (call: ApiCall) => unknown = refusePeople,
): Operations {
  return {
    GET: {
      id,
      summary,
      answer: JSON_ANSWER,
      handle: async (call) => {
        check(call);
        return success(await data(call));
      },
    },
  };
}

/** Operations by the path below the prefix; `version` is ours. */
export function statusOperations(
  version: string,
  services: PrometheusServices | undefined,
): Readonly<Record<string, Operations>> {
  return {
    "metadata": get(
      "promMetadata",
      "Types and units of metrics",
      (call) => metadata(required(services), call),
    ),
    "query_exemplars": getAndPost("promExemplars", {
      summary: "Exemplars: there are none",
      answer: JSON_ANSWER,
      handle: (call) => {
        readScope(call);
        return success([]);
      },
    }),
    "format_query": getAndPost("promFormatQuery", {
      summary: "An expression, printed canonically",
      parameters: [{
        name: "query",
        type: "string",
        description: "An expression in PromQL.",
      }],
      answer: JSON_ANSWER,
      handle: (call) => {
        refusePeople(call);
        const text = parametersOf(call).text("query");
        return success(
          prettify(namingParameter("query", () => parseExpr(text))),
        );
      },
    }),
    "status/buildinfo": get("promBuildInfo", "Which API is served", () => ({
      application: "ringstore",
      version: SERVED_VERSION,
      revision: version,
      branch: "",
      buildUser: "",
      buildDate: "",
      goVersion: "",
    })),
    "status/flags": get("promFlags", "Flags: none", () => ({})),
    "status/config": get("promConfig", "Configuration: none", () => ({})),
    "features": get("promFeatures", "Features: none", () => ({})),
    "status/runtimeinfo": get(
      "promRuntimeInfo",
      "When the server started and what it holds",
      (call) => runtimeInfo(required(services), call),
    ),
    "rules": get("promRules", "Rules: none", () => ({ groups: [] }), readScope),
    "alerts": get(
      "promAlerts",
      "Alerts: none",
      () => ({ alerts: [] }),
      readScope,
    ),
    "targets": get("promTargets", "Targets: none", () => ({
      activeTargets: [],
      droppedTargets: [],
      droppedTargetCounts: {},
    }), readScope),
    "targets/metadata": get(
      "promTargetsMetadata",
      "Metadata of targets: none",
      () => [],
      readScope,
    ),
    "scrape_pools": get(
      "promScrapePools",
      "Pools of targets: none",
      () => ({ scrapePools: [] }),
      readScope,
    ),
    "alertmanagers": get("promAlertmanagers", "Alertmanagers: none", () => ({
      activeAlertmanagers: [],
      droppedAlertmanagers: [],
    }), readScope),
  };
}

function runtimeInfo(services: PrometheusServices, call: ApiCall) {
  const { retentionSec, startedMs } = services;
  return {
    startTime: new Date(startedMs).toISOString(),
    CWD: "",
    reloadConfigSuccess: true,
    lastConfigTime: new Date(startedMs).toISOString(),
    corruptionCount: 0,
    goroutineCount: 0,
    GOMAXPROCS: 0,
    GOGC: "",
    GODEBUG: "",
    storageRetention: retentionSec === 0 ? "" : `${retentionSec}s`,
    timeSeriesCount: seesEverything(call) ? services.seriesCount() : 0,
  };
}

/** Whether all series of the server are the caller's to see. */
function seesEverything(call: ApiCall): boolean {
  try {
    const { instance, view } = readScope(call);
    return instance === "" && view === undefined;
  } catch (error) {
    // A caller that sees nothing may still ask.
    if (error instanceof ClientError) return false;
    throw error;
  }
}

/** Units of the cluster configurations, by metric: of those the caller sees a series of. */
async function metadata(services: PrometheusServices, call: ApiCall) {
  const scope = readScope(call);
  const given = parametersOf(call);
  const only = given.text("metric");
  const wording = "limit must be a number";
  const limit = given.limit("limit", wording);
  const perMetric = given.limit("limit_per_metric", wording);
  const shown = scope.view === undefined && scope.instance === ""
    ? undefined
    : await namesOf(services, call);
  const families = new Map<string, Set<string>>();
  for (const { name, unit } of services.metricUnits()) {
    if (only !== "" && name !== only) continue;
    if (shown?.has(name) === false) continue;
    let units = families.get(name);
    if (units === undefined) {
      if (limit > 0 && families.size >= limit) continue;
      families.set(name, units = new Set());
    }
    if (perMetric === 0 || units.size < perMetric) units.add(unit);
  }
  return Object.fromEntries(
    [...families].map(([name, units]) => [
      name,
      [...units].map((unit) => ({ type: "gauge", help: "", unit })),
    ]),
  );
}

/** Names of the metrics of which the caller sees a series. */
async function namesOf(
  services: PrometheusServices,
  call: ApiCall,
): Promise<ReadonlySet<string>> {
  const { settings } = services;
  const { status, chunks } = await evaluate(services, call, {
    question: {
      kind: "values",
      label: "__name__",
      matches: [],
      ...ALL_TIME,
    },
    limit: 0,
    timeoutMs: settings.timeoutMs,
    withStats: false,
  });
  const decoder = new TextDecoder();
  const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("");
  const body = JSON.parse(text) as { data?: string[]; error?: string };
  if (body.data === undefined) {
    throw new ClientError(
      status === 503 ? "E_OVERLOAD" : "E_UNPROCESSABLE",
      body.error ?? `status ${status}`,
    );
  }
  return new Set(body.data);
}
