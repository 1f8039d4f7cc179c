/**
 * Random series and random policies for the property test, and what the policies
 * show by the plainest reading of the contract: every matcher of every selector
 * looked at for every series.
 */
import fc from "fast-check";
import {
  type ClusterGrant,
  LABEL_NAMES,
  type LabelMatcher,
  type LabelName,
  MATCHER_TYPES,
} from "../../src/metricstore/engine/data_scope.ts";

/** No name is part of another, nor of anything else that an answer contains. */
export const CLUSTERS = ["clualpha", "clubeta"] as const;
export const HOSTS = ["hosta1", "hosta2", "hostb1", "hostb2"] as const;
export const METRICS = {
  metsum: { frequencySec: 60, aggregation: "sum" },
  metavg: { frequencySec: 60, aggregation: "avg" },
  metnil: { frequencySec: 60, aggregation: null },
} as const;
export const METRIC_NAMES = Object.keys(METRICS);

type Labels = Partial<Record<LabelName, string>>;

/** A host itself, levels of two types, one with levels below. */
export const LEVELS: readonly Labels[] = [
  {},
  { "type": "socket", "type-id": "zq0" },
  { "type": "socket", "type-id": "zq1" },
  { "type": "core", "type-id": "zq0" },
  { "type": "socket", "type-id": "zq0", "stype": "dev", "stype-id": "vx7" },
  { "type": "socket", "type-id": "zq0", "stype": "dev", "stype-id": "vx8" },
];

export interface Series {
  readonly cluster: string;
  readonly host: string;
  readonly metric: string;
  readonly level: Labels;
  /** By step of 60 seconds from the begin; `undefined`: no sample. */
  readonly values: readonly (number | undefined)[];
}

export const seriesSets: fc.Arbitrary<Series[]> = fc.uniqueArray(
  fc.record({
    cluster: fc.constantFrom(...CLUSTERS),
    host: fc.constantFrom(...HOSTS),
    metric: fc.constantFrom(...METRIC_NAMES),
    level: fc.constantFrom(...LEVELS),
    values: fc.array(
      fc.option(fc.integer({ min: -99, max: 99 }), { nil: undefined }),
      { minLength: 1, maxLength: 5 },
    ).filter((values) => values.some((value) => value !== undefined)),
  }),
  {
    minLength: 1,
    maxLength: 24,
    selector: ({ cluster, host, metric, level }) =>
      JSON.stringify([cluster, host, metric, level]),
  },
);

const VALUES = [
  "",
  "nowhere",
  ...CLUSTERS,
  ...HOSTS,
  ...METRIC_NAMES,
  "node",
  "socket",
  "core",
  "dev",
  "zq0",
  "zq1",
  "vx7",
];
/** In the part of the syntax that JavaScript reads the same. */
const PATTERNS = [
  "",
  ".*",
  ".+",
  "host",
  "hosta.",
  "host.[12]",
  "met(sum|avg)",
  "socket|core|",
  "node|core",
  "zq[01]",
  "vx7|vx9",
  "(.+)+x",
  "clu(alpha|beta)",
];

const matchers: fc.Arbitrary<LabelMatcher> = fc.constantFrom(...MATCHER_TYPES)
  .chain((type) =>
    fc.record({
      type: fc.constant(type),
      name: fc.constantFrom(...LABEL_NAMES),
      value: type === "EQ" || type === "NEQ"
        ? fc.constantFrom(...VALUES)
        : fc.constantFrom(...PATTERNS),
    })
  );

export const grantLists: fc.Arbitrary<ClusterGrant[]> = fc.array(
  fc.record({
    cluster: fc.constantFrom(...CLUSTERS, "*"),
    selectors: fc.array(fc.array(matchers, { minLength: 1, maxLength: 3 }), {
      maxLength: 3,
    }),
  }),
  { maxLength: 3 },
);

function labelsOf(series: Series): Labels {
  return {
    __name__: series.metric,
    cluster: series.cluster,
    hostname: series.host,
    ...series.level,
  };
}

function holds(matcher: LabelMatcher, labels: Labels): boolean {
  const { type, value } = matcher;
  const isType = matcher.name === "type";
  const given = labels[matcher.name] ?? (isType ? "node" : "");
  // Without a type it is the host itself.
  const wanted = isType && value === "" ? "node" : value;
  if (type === "EQ") return given === wanted;
  if (type === "NEQ") return given !== wanted;
  return new RegExp(`^(?:${value})$`, "s").test(given) === (type === "RE");
}

export function isGranted(
  grants: readonly ClusterGrant[],
  cluster: string,
): boolean {
  return grants.some((one) => one.cluster === "*" || one.cluster === cluster);
}

function covers(
  grant: ClusterGrant,
  labels: Labels,
  names: readonly LabelName[],
): boolean {
  if (grant.cluster !== "*" && grant.cluster !== labels.cluster) return false;
  return grant.selectors.length === 0 ||
    grant.selectors.some((selector) =>
      selector.every((one) => !names.includes(one.name) || holds(one, labels))
    );
}

export function isVisible(
  grants: readonly ClusterGrant[],
  series: Series,
): boolean {
  return grants.some((one) => covers(one, labelsOf(series), LABEL_NAMES));
}

/** Whether a metric of a host could be visible at some level. */
export function mayShow(
  grants: readonly ClusterGrant[],
  cluster: string,
  host: string,
  metric: string,
): boolean {
  const labels = { cluster, hostname: host, __name__: metric };
  return grants.some((one) =>
    covers(one, labels, ["cluster", "hostname", "__name__"])
  );
}

/** Line protocol of the series, step by step. */
export function linesOf(
  series: readonly Series[],
  beginSec: number,
): string[] {
  const lines: string[] = [];
  for (let step = 0; step < 5; step++) {
    for (const { cluster, host, metric, level, values } of series) {
      const value = values[step];
      if (value === undefined) continue;
      const tags = [`cluster=${cluster}`, `hostname=${host}`];
      for (const [name, text] of Object.entries(level)) {
        tags.push(`${name}=${text}`);
      }
      const time = beginSec + step * 60;
      lines.push(`${metric},${tags.join(",")} value=${value} ${time}`);
    }
  }
  return lines;
}
