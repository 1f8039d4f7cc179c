/**
 * Checks files of the archive against the published JSON schemas, for
 * `main.validate`. Works on the parsed value, so that checking uses nothing up.
 *
 * Taken by the letter the published schemas refuse most files, also those of upstream:
 * they list the metrics that every site must have and the units it may use, they know
 * no null, and no job of zero seconds. A check that always fails is of no use. Rules
 * that depend on the site or on the run are therefore left out: see {@linkcode
 * relaxed}. Any thread; compiled at first use.
 */
import {
  Ajv2020,
  type AnySchemaObject,
  type ValidateFunction,
} from "ajv/dist/2020.js";
import jobData from "./schemas/job_data.json" with { type: "json" };
import jobMeta from "./schemas/job_meta.json" with { type: "json" };
import metricData from "./schemas/job_metric_data.json" with { type: "json" };
import metricStatistics from "./schemas/job_metric_statistics.json" with {
  type: "json",
};
import unit from "./schemas/unit.json" with { type: "json" };

/** The published schemas as they are, by kind of file; the first is the file's. */
export const PUBLISHED_SCHEMAS = {
  meta: [jobMeta, metricStatistics, unit],
  data: [jobData, metricData, unit],
} as const;

export type SchemaKind = keyof typeof PUBLISHED_SCHEMAS;

const compiled = new Map<SchemaKind, ValidateFunction>();

/** Returns the fault of a parsed file in words, or `undefined`. */
export function schemaFault(
  kind: SchemaKind,
  json: unknown,
): string | undefined {
  const validate = validatorOf(kind);
  if (validate(json)) return undefined;
  const [error] = validate.errors ?? [];
  const place = (error?.instancePath ?? "").slice(1).replaceAll("/", ".");
  return `${place || "the file"}: ${error?.message ?? "is not as published"}`;
}

function validatorOf(kind: SchemaKind): ValidateFunction {
  const known = compiled.get(kind);
  if (known !== undefined) return known;
  const [schema, ...others] = PUBLISHED_SCHEMAS[kind].map((one) =>
    relaxed(one, []) as AnySchemaObject
  );
  const ajv = new Ajv2020({ strict: false, logger: false, schemas: others });
  const validate = ajv.compile(schema ?? {});
  compiled.set(kind, validate);
  return validate;
}

type Path = readonly string[];

/** Lists of metrics that must be there, words for units. */
const SITE_RULES = new Set([
  "job_data.required",
  "job_meta.properties.statistics.required",
  "unit.properties.base.enum",
  "unit.properties.prefix.enum",
]);

/** Bounds that a short job, or a metric below zero, does not keep. */
const RUN_RULES = new Set(["minimum", "minItems", "contains"]);

/**
 * Returns the schema without the rules above; values that may be absent may be null
 * too.
 */
function relaxed(schema: unknown, path: Path, mayBeNull = false): unknown {
  if (Array.isArray(schema)) return schema;
  if (typeof schema !== "object" || schema === null) return schema;
  const node = schema as Record<string, unknown>;
  const at = path.length === 0 ? [nameOf(node)] : path;
  const required = new Set(
    Array.isArray(node["required"]) ? node.required : [],
  );
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (RUN_RULES.has(key) || SITE_RULES.has([...at, key].join("."))) continue;
    if (key === "exclusiveMinimum" && at.at(-1) === "duration") continue;
    if (key === "type" && mayBeNull) result[key] = [value, "null"];
    else if (key === "properties") {
      result[key] = Object.fromEntries(
        Object.entries(value as object).map(([name, property]) => [
          name,
          relaxed(
            property,
            [...at, key, name],
            !required.has(name) || isEmptyAsNull(property),
          ),
        ]),
      );
    } else if (key === "items") {
      result[key] = relaxed(value, [...at, key], isOfNumbers(value));
    } else result[key] = value;
  }
  return result;
}

function nameOf(schema: Record<string, unknown>): string {
  return String(schema["$id"]).replace(".schema.json", "").replaceAll("-", "_");
}

/** Upstream writes an empty list or object as null. */
function isEmptyAsNull(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "type" in schema &&
    (schema.type === "array" || schema.type === "object");
}

/** Series have nulls where nothing was measured. */
function isOfNumbers(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "type" in schema &&
    schema.type === "number";
}
