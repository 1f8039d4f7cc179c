/**
 * How far a shard's samples are archived, and the bounds that follow for writers and
 * for freeing memory. Owner thread of the shard only.
 *
 *     ── archivedBeforeSec ──────── refusedBeforeSec ───────────► now
 *     in files, may be freed │ being archived │ still written
 */
import type { MetricTable } from "../engine/metric_engine.ts";

export class ArchiveBounds {
  /** Everything before it is in files and may leave memory. */
  archivedBeforeSec = -Infinity;
  #refusedBeforeSec: number;

  /** `reachedSec`: up to where files reach already; -Infinity: there are none. */
  constructor(reachedSec: number, slackSec: number) {
    this.#refusedBeforeSec = reachedSec + slackSec;
  }

  /** Samples before it are too old: they could change what a file has. */
  get refusedBeforeSec(): number {
    return this.#refusedBeforeSec;
  }

  /** Never goes back: a clock that does would open what was closed. */
  refuseBefore(timeSec: number): void {
    this.#refusedBeforeSec = Math.max(this.#refusedBeforeSec, timeSec);
  }
}

/**
 * Seconds by which the nominal time of a slot may lie before the time of a sample
 * in it, over all metrics: samples from `limit + slack` on leave slots before the
 * limit alone.
 */
export function slotSlackSec({ defaults, clusters }: MetricTable): number {
  let slackSec = 0;
  for (const table of [defaults, ...Object.values(clusters)]) {
    for (const { frequencySec } of Object.values(table)) {
      slackSec = Math.max(slackSec, Math.ceil(frequencySec / 2));
    }
  }
  return slackSec;
}
