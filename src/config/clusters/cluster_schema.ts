/**
 * The schema of `cluster.json`. It is lenient where cc-backend is: unknown keys are
 * passed over, `null` equals absent, and nearly everything has a default. Each required
 * value has an error message in words. Pure.
 */
import { z } from "zod";
import { ENERGY_KINDS, FOOTPRINTS } from "./cluster.ts";
import { METRIC_SCOPES } from "./metric_scope.ts";
import { NodesExpression } from "./nodes_expression.ts";

function orDefault<Schema extends z.ZodType>(
  schema: Schema,
  value: z.output<Schema>,
) {
  return schema.nullish().transform((given): z.output<Schema> =>
    given ?? value
  );
}

function oneOf<const Words extends readonly string[]>(words: Words) {
  const shown = words.map((word) => JSON.stringify(word)).join(" or ");
  return z.enum(words, { error: shown });
}

function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, { error: `a list of ${what}` });
}

const text = z.string({ error: "a text" });
const name = z.string({ error: "a text that is not empty" })
  .min(1, "a text that is not empty");
const number = orDefault(z.number({ error: "a number" }), 0);
const flag = orDefault(z.boolean({ error: "true or false" }), false);
const COUNT = "an integer of at least 0";
const count = z.int({ error: COUNT }).min(0, COUNT);
const object = { error: "an object" };

/** A prefix that is empty is none. */
const unit = orDefault(
  z.object({ base: orDefault(text, ""), prefix: orDefault(text, "") }, {
    error: 'an object such as {"base":"B","prefix":"G"}',
  }).transform(({ base, prefix }) =>
    prefix === "" ? { base } : { base, prefix }
  ),
  { base: "" },
);

const value = orDefault(z.object({ unit, value: number }, object), {
  unit: { base: "" },
  value: 0,
});

const traits = {
  peak: number,
  normal: number,
  caution: number,
  alert: number,
  footprint: orDefault(oneOf(FOOTPRINTS), ""),
  energy: orDefault(oneOf(ENERGY_KINDS), ""),
  lowerIsBetter: flag,
  restrict: flag,
};

const metric = z.object({
  name,
  unit,
  scope: z.preprocess(
    (given) => given === "" || given === null ? undefined : given,
    oneOf(METRIC_SCOPES).default("node"),
  ),
  timestep: z.int({ error: "seconds, an integer of at least 1" })
    .min(1, "seconds, an integer of at least 1"),
  // Any other text means that values cannot be combined.
  aggregation: orDefault(text, "").transform((word) =>
    word === "sum" || word === "avg" ? word : ""
  ),
  ...traits,
}, object);

const override = z.object({ name, unit, remove: flag, ...traits }, object);

const units = orDefault(
  listOf(listOf(count, "hardware thread ids"), "lists of hardware thread ids"),
  [],
);

const topology = orDefault(
  z.object({
    node: orDefault(listOf(count, "hardware thread ids"), []),
    socket: units,
    memoryDomain: units,
    die: units,
    core: units,
    accelerators: orDefault(
      listOf(
        z.object({
          id: name,
          type: orDefault(text, ""),
          model: orDefault(text, ""),
        }, object),
        "accelerators",
      ),
      [],
    ),
  }, object),
  {
    node: [],
    socket: [],
    memoryDomain: [],
    die: [],
    core: [],
    accelerators: [],
  },
);

const nodes = orDefault(text, "").superRefine((expression, context) => {
  if (isWildcard(expression)) return;
  try {
    new NodesExpression(expression);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    context.addIssue({
      code: "custom",
      message: `names such as "a[01-64],b1" (${error.message})`,
    });
  }
});

const subCluster = z.object({
  name,
  nodes,
  processorType: orDefault(text, ""),
  socketsPerNode: orDefault(count, 0),
  coresPerSocket: orDefault(count, 0),
  threadsPerCore: orDefault(count, 0),
  flopRateScalar: value,
  flopRateSimd: value,
  memoryBandwidth: value,
  topology,
  metricConfig: orDefault(listOf(metric, "metrics"), []),
  footprint: orDefault(listOf(name, "metric names"), []),
  energyFootprint: orDefault(listOf(name, "metric names"), []),
}, object);

export const clusterSchema = z.object({
  name,
  subClusters: uniqueNames(
    listOf(subCluster, "sub-clusters").min(1, "at least one sub-cluster"),
  ),
  metricConfig: uniqueNames(
    listOf(
      metric.extend({
        subClusters: orDefault(listOf(override, "overrides"), []),
      }),
      "metrics",
    ).min(1, "at least one metric"),
  ),
}, object);

export type ClusterFile = z.output<typeof clusterSchema>;

/** Whether a sub-cluster's `nodes` means the nodes that no other has. */
export function isWildcard(nodes: string): boolean {
  return nodes === "*" || nodes === "";
}

function uniqueNames<
  Schema extends z.ZodType<readonly { readonly name: string }[]>,
>(schema: Schema) {
  return schema.superRefine((items, context) => {
    const seen = new Set<string>();
    items.forEach((item, i) => {
      if (seen.has(item.name)) {
        context.addIssue({
          code: "custom",
          path: [i, "name"],
          message: "each name once",
        });
      }
      seen.add(item.name);
    });
  });
}
