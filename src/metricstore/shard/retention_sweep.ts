/**
 * Gives back the memory of samples that the retention has hidden: a pass over all
 * series in small slices between other work, so that no write waits for it. Where
 * samples are archived, those in no file yet stay; hosts with running jobs are passed
 * over. Series that never got a sample, for want of room, end here too. Owner thread
 * only.
 */
import type { ArchiveBounds } from "./archive_bounds.ts";
import { levelOf } from "../store/records.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { ProtectedHosts } from "./protected_hosts.ts";

/** Series looked at per slice: well under a millisecond. */
const SLICE_SERIES = 4096;
const PASS_INTERVAL_SEC = 60;

export class RetentionSweep {
  readonly #registry: SeriesRegistry;
  readonly #retentionSec: number;
  readonly #archive: ArchiveBounds | undefined;
  readonly #protectedHosts: ProtectedHosts;
  #next = 0;
  #passDueSec = 0;

  constructor(
    registry: SeriesRegistry,
    retentionSec: number,
    protectedHosts: ProtectedHosts,
    archive?: ArchiveBounds,
  ) {
    this.#protectedHosts = protectedHosts;
    this.#archive = archive;
    this.#registry = registry;
    this.#retentionSec = retentionSec;
  }

  /** Does the next slice. Returns whether the pass goes on. */
  slice(nowSec: number): boolean {
    if (nowSec < this.#passDueSec || !this.#protectedHosts.isKnown) {
      return false;
    }
    const { table, tree } = this.#registry;
    const horizonSec = this.#retentionSec === 0 ? -Infinity : Math.min(
      nowSec - this.#retentionSec,
      this.#archive?.archivedBeforeSec ?? Infinity,
    );
    const end = Math.min(table.seriesEnd, this.#next + SLICE_SERIES);
    for (let series = this.#next; series < end; series++) {
      if (!table.isAlive(series)) continue;
      const level = levelOf(table, series);
      if (this.#protectedHosts.has(tree.level(level).host)) continue;
      this.#registry.endIfEmpty(series);
      this.#registry.freeBefore(series, horizonSec);
      if (table.isAlive(series)) table.trimBefore(series, horizonSec);
    }
    this.#next = end;
    if (end < table.seriesEnd) return true;
    this.#next = 0;
    this.#passDueSec = nowSec + PASS_INTERVAL_SEC;
    return false;
  }

  /** Does a whole pass. */
  pass(nowSec: number): void {
    this.#next = 0;
    this.#passDueSec = 0;
    while (this.slice(nowSec));
  }
}
