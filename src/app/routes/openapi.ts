/**
 * The API document (OpenAPI 3.1), made from the table of routes and the schemas
 * that check requests. api/openapi.json is its text; a test compares the two.
 */
import { z } from "zod";
import denoConfig from "../../../deno.json" with { type: "json" };
import { SESSION_COOKIE } from "../../access/credentials.ts";
import { ERROR_SCHEMA } from "../../http/answer/error_answer.ts";
import { type ApiOperation, JSON_TYPE } from "../../http/api_route.ts";
import type { Answer, Content, Operation, Route } from "../../http/route.ts";

type Json = Record<string, unknown>;

const SCHEMA_PREFIX = "#/components/schemas/";

const INTRODUCTION =
  "Metric store for clusters: samples in by line protocol, " +
  "series out as JSON. Paths work with and without a slash at the end; those " +
  "of the metric store also below `/metricstore` instead of `/api`. The " +
  "Prometheus API is the same below `/prometheus/api/v1`, `/api/prom/api/v1` and " +
  "`/api/v1`, its paths are exact. GET brings HEAD with it. `null` for a key " +
  "of a body of the metric store or of a job is the same as no key.";

/** The document as text, with a line end; the same on every call. */
export function openApiText(routes: readonly Route[]): string {
  return JSON.stringify(openApiDocument(routes), null, 2) + "\n";
}

export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  const used = new Set<z.ZodType>([ERROR_SCHEMA]);
  for (const route of routes) {
    if (route.kind !== "metric" && route.undocumented) continue;
    const methods = Object.entries<Operation | ApiOperation>(route.operations)
      .map(([method, described]) =>
        [method.toLowerCase(), operation(route, described, used)] as const
      );
    paths[route.path.replaceAll(/:([\w-]+)/g, "{$1}")] = Object.fromEntries(
      methods,
    );
  }
  return {
    openapi: "3.1.0",
    info: {
      title: denoConfig.name,
      version: denoConfig.version,
      description: INTRODUCTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { authToken: [] }, { basic: [] }],
    paths,
    components: {
      schemas: componentSchemas(used),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A JWT, or a token of the admin API.",
        },
        authToken: { type: "apiKey", in: "header", name: "X-Auth-Token" },
        basic: {
          type: "http",
          scheme: "basic",
          description: "A token of the admin API as the password. The user " +
            "name is the instance, empty for the one the policy implies; where " +
            "a form insists on a name, use `bearer`.",
        },
        session: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
      },
    },
  };
}

function operation(
  route: Route,
  described: Operation,
  used: Set<z.ZodType>,
): Json {
  const { body } = described;
  return {
    operationId: described.id,
    summary: described.summary,
    ...(described.description ? { description: described.description } : {}),
    tags: [tagOf(route)],
    ...security(route),
    "x-access": route.kind === "api" ? route.group : route.access,
    ...parameters(route, described),
    ...(body
      ? {
        requestBody: {
          required: body.required,
          ...(body.description ? { description: body.description } : {}),
          content: { [body.type]: media(body, used) },
        },
      }
      : {}),
    responses: {
      [described.status ?? 200]: answer(described.answer, used),
      ...errorAnswers(route, described, used),
    },
  };
}

const TAG_BY_GROUP = {
  admin: "admin API",
  job: "job API",
  userapi: "job API for users",
  config: "administration by session",
  frontend: "users by session",
  prometheus: "Prometheus API",
  web: "web: may change with any version",
  public: "login",
} as const;

function tagOf(route: Route): string {
  if (route.kind === "api") return TAG_BY_GROUP[route.group];
  return route.kind === "metric" ? "metric store" : "server";
}

function isPublic(route: Route): boolean {
  return (route.kind === "api" ? route.group : route.access) === "public";
}

function security(route: Route): Json {
  if (isPublic(route)) return { security: [] };
  const bySession = route.kind === "api" &&
    ["config", "frontend", "web"].includes(route.group);
  return bySession ? { security: [{ session: [] }] } : {};
}

function parameters(route: Route, described: Operation): Json {
  const listed = (described.parameters ?? []).map(parameter);
  const inPath = [...route.path.matchAll(/:([\w-]+)/g)]
    .filter(([, name]) => !listed.some((one) => one["name"] === name))
    .map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    }));
  const all = [...inPath, ...listed];
  return all.length === 0 ? {} : { parameters: all };
}

function parameter(
  described: NonNullable<Operation["parameters"]>[number],
): Json {
  const schema = { type: described.type, ...described.rules };
  return {
    name: described.name,
    in: described.in ?? "query",
    description: described.description,
    required: described.in === "path" || (described.required ?? false),
    schema: described.repeated ? { type: "array", items: schema } : schema,
  };
}

function answer({ type, ...content }: Answer, used: Set<z.ZodType>): Json {
  return {
    description: content.description ?? "Done.",
    ...(type === undefined
      ? {}
      : { content: { [type]: media({ type, ...content }, used) } }),
  };
}

function media(content: Content, used: Set<z.ZodType>): Json {
  if (content.schema) used.add(content.schema);
  return {
    schema: content.schema
      ? { $ref: SCHEMA_PREFIX + schemaId(content.schema) }
      // Any JSON, or a text.
      : content.type === JSON_TYPE
      ? {}
      : { type: "string" },
    ...(content.example === undefined ? {} : { example: content.example }),
  };
}

function errorAnswers(
  route: Route,
  described: Operation,
  used: Set<z.ZodType>,
): Json {
  const answers: Json = isPublic(route) ? {} : {
    400: failure("The request is wrong."),
    401: route.kind === "api" ? failure("No credential, or a bad one.") : {
      description: "No credential, or a bad one.",
      content: { "text/plain": { schema: { type: "string" } } },
    },
    403: failure("The credential does not allow this."),
    503: failure("Overload, or not ready; try again after `Retry-After`."),
  };
  if (described.body !== undefined) {
    answers[413] = failure("The body is too large.");
    answers[415] = failure("The body is compressed in an unknown way.");
  }
  for (const [status, error] of Object.entries(described.errors ?? {})) {
    answers[status] = typeof error === "string"
      ? failure(error)
      : answer(error, used);
  }
  return answers;
}

function failure(description: string): Json {
  return {
    description,
    content: {
      [JSON_TYPE]: {
        schema: { $ref: SCHEMA_PREFIX + schemaId(ERROR_SCHEMA) },
      },
    },
  };
}

function schemaId(schema: z.ZodType): string {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error("a documented schema needs an id");
  return id;
}

/** The schemas the routes use and those they refer to, by name. */
/** What bodies are made into has more types than JSON: those are told as they are sent. */
const WIRE: Parameters<typeof z.toJSONSchema>[1] & object = {
  io: "input",
  unrepresentable: "any",
  override({ zodSchema: { _zod: { def } }, jsonSchema }) {
    if (def.type === "bigint") {
      Object.assign(jsonSchema, { type: "integer", format: "int64" });
    } else if (def.type === "map") {
      const { $schema: _, ...values } = z.toJSONSchema(
        def.valueType as z.ZodType,
        WIRE,
      );
      Object.assign(jsonSchema, {
        type: "object",
        propertyNames: { type: "string" },
        additionalProperties: values,
      });
    }
  },
};

function componentSchemas(used: ReadonlySet<z.ZodType>): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    ...WIRE,
    uri: (id) => SCHEMA_PREFIX + id,
  });
  const kept = new Map<string, unknown>();
  const keep = (id: string) => {
    if (kept.has(id)) return;
    const { $schema: _, $id: __, id: ___, ...schema } = (schemas[id] ?? {}) as
      & Json
      & { $schema?: unknown; $id?: unknown; id?: unknown };
    kept.set(id, schema);
    for (
      const match of JSON.stringify(schema).matchAll(
        /"#\/components\/schemas\/([^"]+)"/g,
      )
    ) {
      keep(match[1]!);
    }
  };
  for (const schema of used) keep(schemaId(schema));
  return Object.fromEntries(
    [...kept].sort(([a], [b]) => a < b ? -1 : 1),
  );
}
