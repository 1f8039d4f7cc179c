/**
 * Removing what ended before a time at and below a selector, for a request and
 * for its record in the log. Owner thread only.
 */
import { findLevel } from "../query/debug_dump.ts";
import {
  FREED_METRICS_MAX,
  type FreeSeriesRecord,
} from "../persist/wal_records.ts";
import type { SeriesFilter } from "../query/series_filter.ts";
import { levelOf, metricOf } from "../store/records.ts";
import { collectAllSeries, type Level } from "../catalog/level_tree.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

/** Returns the number of runs removed. `path`: from the cluster down; empty: all. */
export function freeAtAndBelow(
  registry: SeriesRegistry,
  instance: string,
  path: readonly string[],
  toSec: number,
): number {
  // Collected first: removing the last run of a series changes the tree.
  const series = new Set<number>();
  for (const level of levelsAt(registry, instance, path)) {
    collectAllSeries(level, series);
  }
  let removed = 0;
  for (const one of series) removed += registry.freeBefore(one, toSec);
  return removed;
}

/** The levels a selector names: all hosts of the instance or cluster, or one level. */
function levelsAt(
  registry: SeriesRegistry,
  instance: string,
  selector: readonly string[],
): Level[] {
  const [cluster, ...path] = selector;
  const clusters = registry.tree.clusters(instance);
  if (cluster === undefined) {
    return [...clusters.values()].flatMap((hosts) => [...hosts.values()]);
  }
  const hosts = clusters.get(cluster);
  if (hosts === undefined) return [];
  if (path.length === 0) return [...hosts.values()];
  const level = findLevel(hosts, path);
  return level === undefined ? [] : [level];
}

/**
 * The series at and below a selector that the filter of their cluster shows;
 * without a filter all of the cluster is shown.
 */
export function shownAtAndBelow(
  registry: SeriesRegistry,
  instance: string,
  path: readonly string[],
  filterOf: (cluster: string) => SeriesFilter | undefined,
): number[] {
  const { catalog } = registry;
  const shown: number[] = [];
  function collect(level: Level, filter: SeriesFilter | undefined): void {
    for (const [metric, series] of level.series) {
      const atHost = filter?.at(catalog.metric(metric).name, level.host.name);
      if (atHost?.shows(level) !== false) shown.push(series);
    }
    for (const child of level.children?.values() ?? []) collect(child, filter);
  }
  for (const level of levelsAt(registry, instance, path)) {
    collect(level, filterOf(level.host.cluster));
  }
  return shown;
}

/** Yields the series to free, by level, as the log keeps them. */
export function* describeFreed(
  registry: SeriesRegistry,
  series: Iterable<number>,
  toSec: number,
): Generator<FreeSeriesRecord> {
  const { catalog, table, tree } = registry;
  const byLevel = Map.groupBy(
    series,
    (one) => tree.level(levelOf(table, one)),
  );
  for (const [level, members] of byLevel) {
    const names = members.map((one) =>
      catalog.metric(metricOf(table, one)).name
    );
    const { instance, cluster } = level.host;
    for (let from = 0; from < names.length; from += FREED_METRICS_MAX) {
      yield {
        instance,
        path: [cluster, ...pathOf(level)],
        metrics: names.slice(from, from + FREED_METRICS_MAX),
        toSec,
      };
    }
  }
}

/** Does again what a record of the log says. */
export function freeRecorded(
  registry: SeriesRegistry,
  record: FreeSeriesRecord,
): void {
  const { catalog, tree } = registry;
  const [cluster = "", host = "", ...names] = record.path;
  let level: Level | undefined = tree.host(record.instance, cluster, host);
  for (const name of names) level = level?.children?.get(name);
  if (level === undefined) return;
  const metrics = catalog.of(cluster);
  // Looked up first: with its last series the level goes.
  const series = record.metrics.map((name) => {
    const metric = metrics.get(name);
    return metric && level.series.get(metric.id);
  });
  for (const one of series) {
    if (one !== undefined) registry.freeBefore(one, record.toSec);
  }
}

/** Names from the host's down. */
function pathOf(level: Level): string[] {
  return level.parent === undefined
    ? [level.name]
    : [...pathOf(level.parent), level.name];
}
