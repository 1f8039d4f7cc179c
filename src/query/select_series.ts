/**
 * From a query to the series it means: one selector for each entry that the
 * answer may have (metric-store 4.2, 5.2). Owner thread only.
 */
import type { MetricQuery } from "../engine/metric_engine.ts";
import { collectSeries, type Level } from "../store/level_tree.ts";
import type { HostFilter } from "./series_filter.ts";

/** The levels a selector names; several of them are combined into one entry. */
export type Selector = readonly Level[];

/**
 * The selectors of a query at a host, in the order of its ids. Ids that name no
 * level give an empty selector, so that positions stay.
 */
export function selectorsOf(query: MetricQuery, host: Level): Selector[] {
  if (query.type === undefined) return [[host]];
  const levels: (Level | undefined)[] = [];
  for (const id of query["type-ids"] ?? []) {
    const level = host.children?.get(query.type + id);
    if (query.subtype === undefined) levels.push(level);
    else {
      for (const subId of query["subtype-ids"] ?? []) {
        levels.push(level?.children?.get(query.subtype + subId));
      }
    }
  }
  if (query.aggreg) {
    return levels.length === 0
      ? []
      : [levels.filter((level) => level !== undefined)];
  }
  return levels.map((level) => level === undefined ? [] : [level]);
}

/** How many entries a query asks for, whether or not its host is known. */
export function selectorCount(query: MetricQuery): number {
  if (query.type === undefined) return 1;
  const ids = (query["type-ids"]?.length ?? 0) *
    (query.subtype === undefined ? 1 : query["subtype-ids"]?.length ?? 0);
  return query.aggreg ? Math.min(1, ids) : ids;
}

/** The series of a metric that a selector means, appended to `out`. */
export function seriesOf(
  selector: Selector,
  metric: number,
  out: number[],
): void {
  for (const level of selector) collectSeries(level, metric, out);
}

/** The same of what is shown: a series that is not might as well not exist. */
export function shownSeriesOf(
  selector: Selector,
  metric: number,
  shown: HostFilter,
  out: number[],
): void {
  for (const level of selector) collectShown(level, metric, shown, out);
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
