/**
 * Which series of one cluster a view shows. Compiled once, asked in stages so that
 * little is left for a single series: what concerns the cluster is settled when the
 * filter is made, the metric once per metric, the host once per host. Nothing of a
 * series that is not shown is read. Owner thread only.
 */
import type {
  ClusterGrant,
  LabelMatcher,
  LabelName,
} from "../engine/data_scope.ts";
import { LabelPattern } from "../engine/label_pattern.ts";
import type { HostLevel, Level } from "../store/level_tree.ts";
import type { MetricCatalog } from "../store/metric_catalog.ts";

interface Matcher {
  readonly label: LabelName;
  holds(value: string): boolean;
}

/** What is left of a selector, by the stage that can settle it. All must hold. */
interface Rest {
  readonly metric: readonly Matcher[];
  readonly host: readonly Matcher[];
  readonly level: readonly Matcher[];
}

/** What is shown of one metric at one host. */
export class HostFilter {
  /** One of them suffices; `undefined`: everything is shown. */
  readonly #rests: readonly Rest[] | undefined;

  constructor(rests: readonly Rest[]) {
    this.#rests = rests.some((rest) => rest.level.length === 0)
      ? undefined
      : rests;
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

/** What is shown of one metric. */
export class MetricFilter {
  readonly #rests: readonly Rest[];
  readonly #everywhere: HostFilter | undefined;

  constructor(rests: readonly Rest[]) {
    this.#rests = rests;
    const isSettled = rests.every((rest) => rest.host.length === 0);
    this.#everywhere = isSettled ? new HostFilter(rests) : undefined;
  }

  at(host: string): HostFilter {
    return this.#everywhere ?? new HostFilter(restsAt(this.#rests, host));
  }
}

export class SeriesFilter {
  readonly #rests: readonly Rest[];
  readonly #metrics = new Map<string, MetricFilter>();
  /** Of the grants, for who bounds them. */
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

  /** To be asked for configured metrics only: the answers are kept. */
  metric(name: string): MetricFilter {
    let filter = this.#metrics.get(name);
    if (filter === undefined) {
      filter = new MetricFilter(
        this.#rests.filter(({ metric }) =>
          metric.every((one) => one.holds(name))
        ),
      );
      this.#metrics.set(name, filter);
    }
    return filter;
  }

  /** Whether any series of the host is shown. */
  showsHost(host: HostLevel, catalog: MetricCatalog): boolean {
    const rests = restsAt(this.#rests, host.name);
    if (rests.length === 0) return false;
    // A host without series does not exist.
    if (rests.some(({ metric, level }) => metric.length + level.length === 0)) {
      return true;
    }
    return this.#showsAnyOf(host, host.name, catalog, new Map());
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
        filter = this.metric(catalog.metric(metric).name).at(host);
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

function restsAt(rests: readonly Rest[], host: string): Rest[] {
  return rests.filter((rest) => rest.host.every((one) => one.holds(host)));
}

function compile(
  matcher: LabelMatcher,
  patterns: Map<string, LabelPattern>,
): Matcher {
  const { name: label, type, value } = matcher;
  switch (type) {
    case "EQ":
      return { label, holds: (given) => given === value };
    case "NEQ":
      return { label, holds: (given) => given !== value };
    case "RE":
    case "NRE": {
      const pattern = patterns.get(value) ?? new LabelPattern(value);
      patterns.set(value, pattern);
      const wanted = type === "RE";
      return { label, holds: (given) => pattern.matches(given) === wanted };
    }
  }
}

/** A label as the first line of the level gave it; one that a level lacks is empty. */
function labelOf(level: Level, label: LabelName): string {
  const { parent } = level;
  // Only a level below a type level has a grandparent.
  const isSub = parent?.parent !== undefined;
  switch (label) {
    case "type":
      return isSub ? parent.labelType : level.labelType;
    case "type-id":
      return isSub ? parent.labelId : level.labelId;
    case "stype":
      return isSub ? level.labelType : "";
    case "stype-id":
      return isSub ? level.labelId : "";
    default:
      throw new Error(`BUG: ${label} is not settled by the level`);
  }
}
