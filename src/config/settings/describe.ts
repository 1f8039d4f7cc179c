/**
 * Describes the schema: its keys, the values that each expects, its default and its
 * description. Serves error messages and the documentation.
 */
import { z } from "zod";
import { configSchema } from "./schema.ts";
import type { KeyPath } from "./source.ts";

/** One place of the configuration. */
export interface KeyDoc {
  /** In words. */
  readonly expected: string;
  readonly description: string;
  /** As written in a configuration; `undefined`: none. */
  readonly defaultValue: unknown;
  readonly required: boolean;
  readonly secret: boolean;
  /** The known keys of an object, in the order of the schema. */
  readonly keys: ReadonlyMap<string, KeyDoc>;
  /** Description of any other key of an object, or of the items of a list. */
  readonly members: KeyDoc | undefined;
  readonly isList: boolean;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

let described: KeyDoc | undefined;

/** The whole configuration. */
export function describeConfig(): KeyDoc {
  described ??= keyDoc(
    z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }),
    true,
  );
  return described;
}

/** The place at a path; `undefined` if the schema knows none. */
export function describeKey(path: KeyPath): KeyDoc | undefined {
  let place: KeyDoc | undefined = describeConfig();
  for (const key of path) {
    place = place?.keys.get(String(key)) ?? place?.members;
  }
  return place;
}

function keyDoc(schema: JsonSchema, required: boolean): KeyDoc {
  const needed = new Set(schema.required ?? []);
  const keys = Object.entries(schema.properties ?? {}).map((
    [key, value],
  ): [string, KeyDoc] => [key, keyDoc(asObject(value), needed.has(key))]);
  const other = schema.additionalProperties ?? schema.items;
  return {
    expected: String(schema.expected ?? ""),
    description: schema.description ?? "",
    defaultValue: schema.default,
    required,
    secret: schema.secret === true,
    keys: new Map(keys),
    members: typeof other === "object" && !Array.isArray(other)
      ? keyDoc(other, true)
      : undefined,
    isList: schema.type === "array",
  };
}

function asObject(schema: JsonSchema | boolean): JsonSchema {
  return typeof schema === "boolean" ? {} : schema;
}
