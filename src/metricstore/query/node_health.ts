/**
 * The health of a node: which of the expected metrics its newest samples say are
 * late or missing (metric-store 5.6). Owner thread only.
 */
import type { HealthState, NodeHealth } from "../engine/metric_engine.ts";
import type { Level } from "../catalog/level_tree.ts";
import type { Metric } from "../catalog/metric_catalog.ts";
import { phaseOf } from "../store/layout.ts";
import { newestEndSec } from "../store/records.ts";
import type { SeriesTable } from "../store/series_table.ts";
import type { HostFilter, SeriesFilter } from "./series_filter.ts";

/** A series is stale when its newest slot ended more than so many intervals ago. */
const STALE_INTERVALS = 5;

const MISSING = 0;
const HEALTHY = 1;
const DEGRADED = 2;

/**
 * `expected` are the names asked for; `metrics` those configured for the cluster.
 * Series that `filter` hides are missing; without it none is hidden. A series whose
 * newest sample is older than `sinceSec` is missing as well.
 */
export function nodeHealth(
  table: SeriesTable,
  host: Level,
  expected: readonly string[],
  metrics: ReadonlyMap<string, Metric>,
  nowSec: number,
  filter?: SeriesFilter,
  sinceSec = -Infinity,
): NodeHealth {
  const degraded: string[] = [];
  const missing: string[] = [];
  for (const name of expected) {
    const metric = metrics.get(name);
    const shown = metric && filter?.at(name, host.name);
    const state = metric === undefined || shown?.showsNothing
      ? MISSING
      : metricState(table, host, metric, nowSec, shown, sinceSec);
    if (state === MISSING) missing.push(name);
    else if (state === DEGRADED) degraded.push(name);
  }
  const healthy = expected.length - degraded.length - missing.length;
  let state: HealthState = "partial";
  if (degraded.length === 0 && missing.length === 0) state = "full";
  else if (healthy === 0) state = "failed";
  return { state, known: true, degraded, missing };
}

/** The worst state of a metric in the subtree; `MISSING` if no level has it. */
function metricState(
  table: SeriesTable,
  level: Level,
  metric: Metric,
  nowSec: number,
  shown: HostFilter | undefined,
  sinceSec: number,
): number {
  let worst = MISSING;
  const series = level.series.get(metric.id);
  if (series !== undefined && shown?.shows(level) !== false) {
    const end = newestEndSec(table, series);
    const { frequencySec } = metric;
    const newest = end - frequencySec + phaseOf(frequencySec);
    if (newest >= sinceSec) {
      worst = nowSec - end > STALE_INTERVALS * frequencySec
        ? DEGRADED
        : HEALTHY;
    }
  }
  if (level.children !== undefined) {
    for (const child of level.children.values()) {
      worst = Math.max(
        worst,
        metricState(table, child, metric, nowSec, shown, sinceSec),
      );
    }
  }
  return worst;
}
