/**
 * `/api/healthcheck`: the state of nodes by the age of their samples. Asked by a
 * JSON body, or without one by query parameters.
 */
import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type {
  JsonBody,
  NodeHealth,
} from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { Principal } from "../../access/mod.ts";
import { nowSec } from "../../base/clock.ts";
import { jobFields } from "../../base/refused_request.ts";
import { takeNodeStates } from "../../jobs/lifecycle/node_states.ts";
import { checkJobGroup } from "../../http/group_rules.ts";
import { requireReadable } from "./engine_state.ts";
import type { Exchange } from "../../http/exchange.ts";
import { LONG_JSON_BYTES, parseJsonInTurns } from "../../http/json_pieces.ts";
import { parseJson, textsOf, unexpected } from "../../http/body/json_text.ts";
import { readBody } from "../../http/body/request_body.ts";
import type { MetricServices } from "./services.ts";
import { withTimes } from "./visible_times.ts";

export const healthRequestSchema = z.strictObject({
  cluster: z.string().nullish().describe("Name of the cluster."),
  nodes: z.array(z.string()).nullish().describe("Names of the nodes."),
  "metric-names": z.array(z.string()).nullish().describe(
    "Metrics that the nodes should have.",
  ),
}).meta({ id: "HealthRequest" });

export const healthAnswerSchema = z.record(
  z.string(),
  z.object({
    State: z.enum(["full", "partial", "failed"]),
    HealthMetrics: z.string().describe(
      "JSON inside a string: an object with the lists `degraded` and " +
        "`missing`; empty for an unknown node.",
    ),
  }),
).describe("One member for each node, in the order asked.")
  .meta({ id: "HealthAnswer" });

interface Question {
  readonly cluster: string;
  readonly nodes: readonly string[];
  /** Undefined: all metrics of the cluster. */
  readonly metrics: readonly string[] | undefined;
}

export function handleHealth(
  services: MetricServices,
  exchange: Exchange,
): void {
  exchange.authenticate("metric", (principal) => {
    const orgId = exchange.req.headers["x-scope-orgid"];
    if (!exchange.hasBody()) {
      const scope = principal.dataScope("health", orgId);
      ask(
        services,
        exchange,
        scope,
        questionOfParameters(exchange.parameters()),
      );
      return;
    }
    readBody(exchange, (body) => {
      const take = (given: unknown) => {
        if (exchange.req.method === "POST" && isStateUpdate(given)) {
          takeStates(services, exchange, principal, body);
          return;
        }
        const scope = principal.dataScope("health", orgId);
        ask(services, exchange, scope, questionOf(given));
      };
      if (body.length < LONG_JSON_BYTES) take(parsing(() => parseJson(body)));
      else {
        parseJsonInTurns(body)
          .catch((error) => parsing(() => raise(error)))
          .then(take)
          .catch((error) => exchange.fail(error));
      }
    }, exchange.jsonBytesMax);
  });
}

/** The backend's path for states of nodes; the rules are those of `/api/nodestate`. */
function takeStates(
  { jobs }: MetricServices,
  exchange: Exchange,
  principal: Principal,
  body: Uint8Array,
): void {
  exchange.about = () => jobFields(body);
  checkJobGroup(exchange, principal, "jobs:write");
  takeNodeStates(
    jobs,
    body,
    nowSec(),
    principal.jobView().clusters,
  ).then(() => exchange.send(200, {}, ""))
    .catch((error) => exchange.fail(error));
}

const QUESTION_KEYS = Object.keys(healthRequestSchema.shape);

/** What the schema says, without noting everything that is wrong. */
function questionOf(value: unknown): Question {
  return parsing(() => {
    const given = value ?? {};
    if (typeof given !== "object" || Array.isArray(given)) {
      throw unexpected("the body", "an object", given);
    }
    const fields = given as Readonly<Record<string, unknown>>;
    for (const key in fields) {
      if (QUESTION_KEYS.includes(key)) continue;
      throw new ClientError(
        "E_BAD_REQUEST",
        `${key.slice(0, 60)}: unknown field`,
      );
    }
    const cluster = fields["cluster"] ?? "";
    if (typeof cluster !== "string") {
      throw unexpected("cluster", "a text", cluster);
    }
    return {
      cluster,
      nodes: textsOf(fields["nodes"] ?? [], () => "nodes"),
      metrics: textsOf(fields["metric-names"] ?? [], () => "metric-names"),
    };
  });
}

/** Says of what goes wrong that it was the body, in upstream's words. */
function parsing<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ClientError(
      error.code,
      `parsing request body failed: ${error.message}`,
      { cause: error },
    );
  }
}

function raise(error: unknown): never {
  throw error;
}

/** The backend posts node states to the same path; the body tells them apart. */
function isStateUpdate(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const nodes: unknown = "nodes" in value ? value.nodes : undefined;
  if (!Array.isArray(nodes)) return false;
  return nodes.length === 0
    ? !("metric-names" in value)
    : nodes.some((node) => typeof node === "object" && node !== null);
}

function questionOfParameters(parameters: URLSearchParams): Question {
  const cluster = parameters.get("cluster");
  if (cluster === null) {
    throw new ClientError(
      "E_BAD_REQUEST",
      "parsing request body failed: EOF; without a body the parameters " +
        "cluster and node are needed",
    );
  }
  const metrics = parameters.getAll("metric-names");
  return {
    cluster,
    nodes: parameters.getAll("node"),
    metrics: metrics.length === 0 ? undefined : metrics,
  };
}

function ask(
  { engine, jobs }: MetricServices,
  exchange: Exchange,
  scope: DataScope,
  question: Question,
): void {
  requireReadable(engine);
  const { cluster, metrics } = question;
  const nodes = [...new Set(question.nodes)];
  const from = nowSec();
  // The state of a node is that of now.
  withTimes(
    jobs.times,
    exchange,
    scope,
    { cluster, from, to: from + 1 },
    (visible) => {
      engine.health(visible, cluster, nodes, metrics)
        .then((found) => healthAnswer(nodes, found))
        .then((body) => exchange.sendJson(body))
        .catch((error) => exchange.fail(error));
    },
  );
}

/** Characters that are put together before others get a turn. */
const TURN_CHARS = 1 << 20;

/** Written by hand: as object keys, names like `10` would lose their place. */
export async function healthAnswer(
  nodes: readonly string[],
  found: ReadonlyMap<string, NodeHealth>,
): Promise<JsonBody> {
  const chunks: Uint8Array[] = [];
  let text = "{";
  for (const [index, node] of nodes.entries()) {
    const health = found.get(node);
    const metrics = health?.known
      ? JSON.stringify({ degraded: health.degraded, missing: health.missing })
      : "";
    const member = { State: health?.state ?? "failed", HealthMetrics: metrics };
    text += `${index > 0 ? "," : ""}${JSON.stringify(node)}:${
      JSON.stringify(member)
    }`;
    if (text.length < TURN_CHARS) continue;
    chunks.push(Buffer.from(text));
    text = "";
    await nextTurn();
  }
  chunks.push(Buffer.from(`${text}}\n`));
  return bodyOfPieces(chunks);
}

function bodyOfPieces(chunks: readonly Uint8Array[]): JsonBody {
  const byteLength = chunks.reduce((sum, { length }) => sum + length, 0);
  return { chunks, byteLength };
}
