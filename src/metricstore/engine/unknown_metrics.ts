/**
 * Which metrics the lines of a batch had that no configuration names, so that the
 * sender and the operator read a name and not only a count. Bounded: the first few
 * clusters, the first few metrics of each, and no name longer than it helps. Pure.
 */

/** Lines of one cluster whose metrics are unknown. */
export interface UnknownMetrics {
  readonly cluster: string;
  lines: number;
  /** The first of their names. */
  readonly metrics: string[];
}

const CLUSTERS_MAX = 8;
const METRICS_MAX = 8;
/** Longest name that is told. */
const NAME_CHARS_MAX = 64;

export class UnknownMetricTally {
  readonly clusters: UnknownMetrics[] = [];
  /** Neighbouring lines mostly have the same cluster and often the same metric. */
  #last: UnknownMetrics | undefined;
  #lastCluster = "";
  #lastMetric = "";

  /** A line that was passed over. */
  add(cluster: string, metric: string): void {
    if (cluster !== this.#lastCluster || this.#last === undefined) {
      this.#last = findOrAdd(this.clusters, shortened(cluster));
      this.#lastCluster = cluster;
      this.#lastMetric = "";
    }
    const entry = this.#last;
    if (entry === undefined) return;
    entry.lines++;
    if (metric === this.#lastMetric) return;
    this.#lastMetric = metric;
    addName(entry.metrics, shortened(metric));
  }
}

/** Joins the unknown metrics that several shards found in one batch. */
export function joinUnknown(
  parts: readonly (readonly UnknownMetrics[])[],
): UnknownMetrics[] {
  const joined: UnknownMetrics[] = [];
  for (const { cluster, lines, metrics } of parts.flat()) {
    const entry = findOrAdd(joined, cluster);
    if (entry === undefined) continue;
    entry.lines += lines;
    for (const metric of metrics) addName(entry.metrics, metric);
  }
  return joined;
}

function findOrAdd(
  entries: UnknownMetrics[],
  cluster: string,
): UnknownMetrics | undefined {
  const found = entries.find((entry) => entry.cluster === cluster);
  if (found !== undefined || entries.length >= CLUSTERS_MAX) return found;
  const entry: UnknownMetrics = { cluster, lines: 0, metrics: [] };
  entries.push(entry);
  return entry;
}

function addName(names: string[], name: string): void {
  if (names.length < METRICS_MAX && !names.includes(name)) names.push(name);
}

function shortened(name: string): string {
  return name.length <= NAME_CHARS_MAX
    ? name
    : `${name.slice(0, NAME_CHARS_MAX)}…`;
}
