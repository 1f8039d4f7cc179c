/**
 * The levels of a node at which a metric can be measured, from coarse to fine.
 * The names are those of the cluster configuration, of the job API and of the
 * `type` tag of line protocol. Pure.
 */

export const METRIC_SCOPES = [
  "node",
  "socket",
  "memoryDomain",
  "core",
  "hwthread",
  "accelerator",
] as const;
export type MetricScope = typeof METRIC_SCOPES[number];

/** Returns whether a text names a scope. */
export function isMetricScope(text: string): text is MetricScope {
  return (METRIC_SCOPES as readonly string[]).includes(text);
}

/** The coarser of two scopes. */
export function coarserScope(a: MetricScope, b: MetricScope): MetricScope {
  return METRIC_SCOPES.indexOf(a) < METRIC_SCOPES.indexOf(b) ? a : b;
}
