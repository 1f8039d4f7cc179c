/**
 * Values that fit a JSON schema, as far as the API document uses its words, and
 * values that nearly do. For property tests.
 */
import fc from "fast-check";

export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Lists are no longer, whatever the schema allows. */
const ITEMS_MAX = 3;

/** `preferred`: values for members of that name, such as names of what exists. */
export interface SchemaOptions {
  readonly components: Readonly<Record<string, JsonSchema>>;
  readonly preferred: Readonly<Record<string, readonly unknown[]>>;
}

export function fitting(
  schema: JsonSchema,
  options: SchemaOptions,
): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1)!;
    return fitting(options.components[name]!, options);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    return fc.oneof(...choices.map((one) => fitting(one, options)));
  }
  if (schema.allOf?.length === 1) return fitting(schema.allOf[0]!, options);
  switch (schema.type) {
    case "object":
      return object(schema, options);
    case "array":
      return fc.array(fitting(schema.items ?? {}, options), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? ITEMS_MAX, ITEMS_MAX),
      });
    case "string":
      return text(schema);
    case "integer":
      return fc.integer({
        min: schema.minimum ?? -(2 ** 31),
        max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31),
      });
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case undefined:
      return fc.jsonValue({ maxDepth: 2 });
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

function object(
  { properties = {}, required = [] }: JsonSchema,
  options: SchemaOptions,
): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, schema]) => {
    const known = options.preferred[name] ?? [];
    const member = fitting(schema, options);
    return [
      name,
      known.length === 0
        ? member
        : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, {
          arbitrary: member,
          weight: 1,
        }),
    ] as const;
  });
  return fc.record(Object.fromEntries(members), {
    requiredKeys: [...required],
  });
}

function text({ pattern, format, maxLength }: JsonSchema) {
  if (format === "date-time") {
    return fc.date({
      noInvalidDate: true,
      min: new Date("1980-01-01"),
      max: new Date("2200-01-01"),
    }).map((date) => date.toISOString());
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({
    maxLength: Math.min(maxLength ?? 20, 20),
    unit: "binary",
  });
}

/** The same with one thing wrong: a member that is missing, strange, or of another type. */
export function nearly(
  fittingValues: fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  return fc.tuple(
    fittingValues,
    fc.constantFrom("drop", "add", "replace"),
    fc.nat(),
    fc.jsonValue({ maxDepth: 2 }),
    fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "")),
  ).map(([value, how, at, other, name]) => {
    if (typeof value !== "object" || value === null) return other;
    const members = Object.entries(value);
    if (how === "add" || members.length === 0) members.push([name, other]);
    else if (how === "drop") members.splice(at % members.length, 1);
    else members[at % members.length]![1] = other;
    return Object.fromEntries(members);
  });
}
