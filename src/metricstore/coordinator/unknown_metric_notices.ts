/**
 * Tells the operator of samples that are passed over since their metric is not
 * configured: a count for each cluster, and once a minute a line of the log with names.
 * A collector whose cluster tag is mistyped is found by it. Main thread.
 */
import { monotonicMs } from "../../base/clock.ts";
import type { UnknownMetrics } from "../engine/unknown_metrics.ts";
import type { EngineNotice } from "../engine/metric_engine.ts";

/** Between two lines of the log. */
const INTERVAL_MS = 60_000;
/** Clusters that are counted for themselves; senders can make up any number. */
const CLUSTERS_MAX = 64;
/** Where the lines of further clusters are counted. No cluster is called so. */
export const OTHER_CLUSTERS = "*";
/** Names in a line of the log. */
const NAMES_MAX = 10;

export class UnknownMetricNotices {
  readonly #notify: (notice: EngineNotice) => void;
  readonly #nowMs: () => number;
  readonly #lines = new Map<string, number>();
  /** Since the last line of the log. */
  readonly #names = new Set<string>();
  #untoldLines = 0;
  #toldMs = -Infinity;

  constructor(
    notify: (notice: EngineNotice) => void,
    nowMs: () => number = monotonicMs,
  ) {
    this.#notify = notify;
    this.#nowMs = nowMs;
  }

  /** Lines passed over since the start, by cluster. */
  get lines(): ReadonlyMap<string, number> {
    return this.#lines;
  }

  /** A batch had lines of unknown metrics: so many, of these. */
  add(lines: number, unknown: readonly UnknownMetrics[]): void {
    let rest = lines;
    for (const entry of unknown) {
      this.#count(entry.cluster, entry.lines);
      rest -= entry.lines;
      for (const metric of entry.metrics) {
        if (this.#names.size >= NAMES_MAX) break;
        this.#names.add(`${entry.cluster}/${metric}`);
      }
    }
    if (rest > 0) this.#count(OTHER_CLUSTERS, rest);
    this.#untoldLines += lines;
    this.#tell();
  }

  #count(cluster: string, lines: number): void {
    const isKept = this.#lines.has(cluster) || this.#lines.size < CLUSTERS_MAX;
    const key = isKept ? cluster : OTHER_CLUSTERS;
    this.#lines.set(key, (this.#lines.get(key) ?? 0) + lines);
  }

  #tell(): void {
    const now = this.#nowMs();
    if (now - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = now;
    this.#notify({
      level: "warn",
      message:
        "samples are passed over: no configuration names these metrics of these clusters",
      fields: { names: [...this.#names].join(" "), lines: this.#untoldLines },
    });
    this.#names.clear();
    this.#untoldLines = 0;
  }
}
