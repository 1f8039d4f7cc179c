/**
 * From a query to the series it means: the levels it names, and which of their
 * series are shown (metric-store 4.2, 5.2). Owner thread only.
 */
import type { MetricQuery } from "../engine/metric_engine.ts";
import { collectSeries, type Level } from "../catalog/level_tree.ts";
import type { HostFilter } from "./series_filter.ts";

/** How many entries a query asks for, whether or not its host is known. */
export function selectorCount(query: MetricQuery): number {
  const ids = idCount(query);
  return query.aggreg ? Math.min(1, ids) : ids;
}

/** How many levels a query names, whether each has an entry or all have one. */
export function idCount(query: MetricQuery): number {
  if (query.type === undefined) return 1;
  return (query["type-ids"]?.length ?? 0) *
    (query.subtype === undefined ? 1 : query["subtype-ids"]?.length ?? 0);
}

/**
 * The levels that a query names at a host, in the order of its ids, found one by
 * one: a list of all of them might not fit into memory.
 */
export class NamedLevels {
  readonly count: number;
  readonly #query: MetricQuery;
  readonly #host: Level;
  readonly #subIds: readonly string[] | undefined;
  /** The level of the type id that was looked up last. */
  #typeIndex = -1;
  #typeLevel: Level | undefined;

  constructor(query: MetricQuery, host: Level) {
    this.count = idCount(query);
    this.#query = query;
    this.#host = host;
    this.#subIds = query.subtype === undefined
      ? undefined
      : query["subtype-ids"] ?? [];
  }

  /** `undefined`: the host has no such level. */
  at(index: number): Level | undefined {
    const { type } = this.#query;
    if (type === undefined) return this.#host;
    const subIds = this.#subIds;
    if (subIds === undefined) return this.#atType(type, index);
    const typeIndex = Math.floor(index / subIds.length);
    if (typeIndex !== this.#typeIndex) {
      this.#typeIndex = typeIndex;
      this.#typeLevel = this.#atType(type, typeIndex);
    }
    const id = subIds[index - typeIndex * subIds.length]!;
    return this.#typeLevel?.children?.get(this.#query.subtype! + id);
  }

  #atType(type: string, index: number): Level | undefined {
    return this.#host.children?.get(type + this.#query["type-ids"]![index]!);
  }
}

/**
 * The series of a metric at a level, appended to `out`, as far as they are shown
 * (`undefined`: all are): a series that is not might as well not exist.
 */
export function seriesOf(
  level: Level,
  metric: number,
  shown: HostFilter | undefined,
  out: number[],
): void {
  if (shown === undefined || shown.showsAll) collectSeries(level, metric, out);
  else collectShown(level, metric, shown, out);
}

/** As `collectSeries`; a level whose own series is hidden has none. */
function collectShown(
  level: Level,
  metric: number,
  shown: HostFilter,
  out: number[],
): void {
  const own = level.series.get(metric);
  if (own !== undefined && shown.shows(level)) {
    out.push(own);
    return;
  }
  for (const child of level.children?.values() ?? []) {
    collectShown(child, metric, shown, out);
  }
}

/** Whether series of a host lie below levels of several types (metric-store M17). */
export function mixesTypes(
  series: readonly number[],
  levelOf: (series: number) => Level,
): boolean {
  let type: string | undefined;
  for (const one of series) {
    let level = levelOf(one);
    while (level.parent !== undefined && level.parent.parent !== undefined) {
      level = level.parent;
    }
    if (type !== undefined && type !== level.labelType) return true;
    type = level.labelType;
  }
  return false;
}
