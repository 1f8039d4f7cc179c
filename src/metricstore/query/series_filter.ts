/**
 * Which series of one cluster a view shows. Compiled once, asked in stages so that
 * little is left for a single series: matchers of the cluster are settled when the
 * filter is made, the metric once per metric, the host once per host. Hidden series are
 * never read. Owner thread only.
 */
import type {
  ClusterGrant,
  LabelMatcher,
  LabelName,
} from "../engine/data_scope.ts";
import { LabelPattern } from "../engine/label_pattern.ts";
import type { HostLevel, Level } from "../catalog/level_tree.ts";
import type { MetricCatalog } from "../catalog/metric_catalog.ts";
import { levelLabel } from "./series_matchers.ts";

/** Hosts of which a filter remembers what they pass. */
const HOSTS_MAX = 4096;

/** The type of a host's own series, which lines may leave out. */
const NODE = "node";

interface Matcher {
  readonly label: LabelName;
  holds(value: string): boolean;
}

/** The rest of a selector, by the stage that can settle it. All matchers must hold. */
interface Rest {
  readonly metric: readonly Matcher[];
  readonly host: readonly Matcher[];
  readonly level: readonly Matcher[];
}

/** The visible part of one metric at one host. */
export class HostFilter {
  /** One of them suffices; `undefined`: everything is shown. */
  readonly #rests: readonly Rest[] | undefined;

  constructor(rests: readonly Rest[] | undefined) {
    this.#rests = rests;
  }

  get showsAll(): boolean {
    return this.#rests === undefined;
  }

  get showsNothing(): boolean {
    return this.#rests?.length === 0;
  }

  /** Whether the series of the metric at this level is shown. */
  shows(level: Level): boolean {
    return this.#rests?.some(({ level: matchers }) =>
      matchers.every((one) => one.holds(labelOf(level, one.label)))
    ) ?? true;
  }
}

const EVERYTHING = new HostFilter(undefined);
const NOTHING = new HostFilter([]);

export class SeriesFilter {
  readonly #rests: readonly Rest[];
  /** By metric: whether it passes each of `#rests`. */
  readonly #byMetric = new Map<string, readonly boolean[]>();
  /** By host: which of `#rests` it passes. */
  readonly #byHost = new Map<string, readonly number[]>();
  /** Number of matchers of the grants; its callers bound it. */
  readonly matchers: number;

  constructor(grants: readonly ClusterGrant[], cluster: string) {
    const patterns = new Map<string, LabelPattern>();
    const rests: Rest[] = [];
    let matchers = 0;
    for (const grant of grants) {
      if (grant.cluster !== "*" && grant.cluster !== cluster) continue;
      const selectors = grant.selectors.length === 0 ? [[]] : grant.selectors;
      for (const selector of selectors) {
        matchers += selector.length;
        const compiled = selector.map((one) => compile(one, patterns));
        const of = (...names: LabelName[]) =>
          compiled.filter((one) => names.includes(one.label));
        if (!of("cluster").every((one) => one.holds(cluster))) continue;
        rests.push({
          metric: of("__name__"),
          host: of("hostname"),
          level: of("type", "type-id", "stype", "stype-id"),
        });
      }
    }
    this.#rests = rests;
    this.matchers = matchers;
  }

  /**
   * Returns the visible part of a metric at a host. Only for configured metrics, since
   * the filter keeps a result for each name.
   */
  at(metric: string, host: string): HostFilter {
    const passes = this.#metric(metric);
    let shown: Rest[] | undefined;
    for (const index of this.#host(host)) {
      if (!passes[index]) continue;
      const rest = this.#rests[index]!;
      if (rest.level.length === 0) return EVERYTHING;
      (shown ??= []).push(rest);
    }
    return shown === undefined ? NOTHING : new HostFilter(shown);
  }

  #metric(name: string): readonly boolean[] {
    let passes = this.#byMetric.get(name);
    if (passes === undefined) {
      passes = this.#rests.map(({ metric }) =>
        metric.every((one) => one.holds(name))
      );
      this.#byMetric.set(name, passes);
    }
    return passes;
  }

  #host(name: string): readonly number[] {
    let passed = this.#byHost.get(name);
    if (passed === undefined) {
      passed = this.#rests.flatMap(({ host }, index) =>
        host.every((one) => one.holds(name)) ? [index] : []
      );
      if (this.#byHost.size >= HOSTS_MAX) this.#byHost.clear();
      this.#byHost.set(name, passed);
    }
    return passed;
  }

  /** Whether any series of the host is shown. */
  showsHost(host: HostLevel, catalog: MetricCatalog): boolean {
    const passed = this.#host(host.name);
    if (passed.length === 0) return false;
    // A host without series does not exist.
    const isWhole = passed.some((index) => {
      const { metric, level } = this.#rests[index]!;
      return metric.length + level.length === 0;
    });
    return isWhole || this.#showsAnyOf(host, host.name, catalog, new Map());
  }

  #showsAnyOf(
    level: Level,
    host: string,
    catalog: MetricCatalog,
    filters: Map<number, HostFilter>,
  ): boolean {
    for (const metric of level.series.keys()) {
      let filter = filters.get(metric);
      if (filter === undefined) {
        filter = this.at(catalog.metric(metric).name, host);
        filters.set(metric, filter);
      }
      if (filter.shows(level)) return true;
    }
    for (const child of level.children?.values() ?? []) {
      if (this.#showsAnyOf(child, host, catalog, filters)) return true;
    }
    return false;
  }
}

function compile(
  matcher: LabelMatcher,
  patterns: Map<string, LabelPattern>,
): Matcher {
  const { name: label, type, value } = matcher;
  const wanted = label === "type" && value === "" ? NODE : value;
  // A level that was given an id and no type has none; `""` means it as well.
  const isSame = (given: string) =>
    given === wanted || (label === "type" && wanted === NODE && given === "");
  switch (type) {
    case "EQ":
      return { label, holds: isSame };
    case "NEQ":
      return { label, holds: (given) => !isSame(given) };
    case "RE":
    case "NRE": {
      const pattern = patterns.get(value) ?? new LabelPattern(value);
      patterns.set(value, pattern);
      const isWanted = type === "RE";
      return { label, holds: (given) => pattern.matches(given) === isWanted };
    }
  }
}

/** A label as policies see it: a host's own series has a type. */
function labelOf(level: Level, label: LabelName): string {
  return label === "type" && level.parent === undefined
    ? NODE
    : levelLabel(level, label);
}
