/**
 * Removing what ended before a time at and below a selector, for a request and
 * for its record in the log. Owner thread only.
 */
import { findLevel } from "../query/debug_dump.ts";
import type { Level } from "../store/level_tree.ts";
import type { SeriesRegistry } from "./series_registry.ts";

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
    collectAll(level, series);
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

function collectAll(level: Level, out: Set<number>): void {
  for (const series of level.series.values()) out.add(series);
  for (const child of level.children?.values() ?? []) collectAll(child, out);
}
