/**
 * Dumps the store below a selector, as JSON of upstream's shape (metric-store 5.5): per
 * level its metrics with their runs, oldest first, then its children. Owner thread
 * only.
 */
import {
  firstSlot,
  frequencyOf,
  nextRun,
  oldestRun,
} from "../store/records.ts";
import type { HostLevel, Level } from "../catalog/level_tree.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { JsonWriter } from "./json_writer.ts";
import type { Turns } from "./turns.ts";

/**
 * The level a path of names leads to, from the host's name on. A name that
 * contains the separator arrives in parts: where a part is no child, it is tried
 * joined with the next (`E` in `…:49:00.0`).
 */
export function findLevel(
  hosts: ReadonlyMap<string, HostLevel>,
  path: readonly string[],
): Level | undefined {
  let children: ReadonlyMap<string, Level> | undefined = hosts;
  let level: Level | undefined;
  let name: string | undefined;
  for (const part of path) {
    name = name === undefined ? part : `${name}:${part}`;
    const child: Level | undefined = children?.get(name);
    if (child === undefined) continue;
    level = child;
    children = child.children;
    name = undefined;
  }
  return name === undefined ? level : undefined;
}

/** Writes the members of all hosts of a cluster, without the braces around them. */
export function dumpHosts(
  registry: SeriesRegistry,
  hosts: ReadonlyMap<string, HostLevel>,
  out: JsonWriter,
  turns: Turns,
): void {
  let first = true;
  for (const host of hosts.values()) {
    if (!first) out.raw(",");
    first = false;
    out.string(host.name);
    out.raw(":");
    const before = out.written;
    dumpLevel(registry, host, out);
    turns.spend(out.written - before);
  }
}

/** Writes one level and everything below it as an object. */
export function dumpLevel(
  registry: SeriesRegistry,
  level: Level,
  out: JsonWriter,
): void {
  let separator = "{";
  for (const [metric, series] of level.series) {
    out.raw(separator);
    separator = ",";
    out.string(registry.catalog.metric(metric).name);
    out.raw(":");
    dumpRuns(registry, series, out);
  }
  for (const child of level.children?.values() ?? []) {
    out.raw(separator);
    separator = ",";
    out.string(child.name);
    out.raw(":");
    dumpLevel(registry, child, out);
  }
  out.raw(separator === "{" ? "{}" : "}");
}

function dumpRuns(
  registry: SeriesRegistry,
  series: number,
  out: JsonWriter,
): void {
  const { table } = registry;
  const frequency = frequencyOf(table, series);
  let run = oldestRun(table, series);
  let separator = "[";
  for (; run !== 0; run = nextRun(table, run)) {
    const first = firstSlot(table, run);
    const length = table.runLength(series, run);
    const start = table.runStart(run);
    out.raw(separator);
    separator = ",";
    out.raw(`{"start":${start + first * frequency},"len":${length - first}`);
    out.raw(`,"end":${start + length * frequency}}`);
  }
  out.raw(separator === "[" ? "[]" : "]");
}
