/**
 * Keeps a shard within its share of `memory-cap`: the oldest data is given up
 * first; what cannot be given up, records and hot lanes of series, is kept from
 * growing. Owner thread only.
 *
 * Memory once taken from the system is not given back, so the guard acts before
 * the pool would take more: when its share is used up and little of it is free.
 * A part of the share is left to series, so that new ones are refused only when
 * giving up data does not help any more.
 */
import {
  FREQUENCY,
  OLDEST,
  PAGE_SHIFT,
  RECORD_SHIFT,
  RUN_FIRST,
} from "../store/layout.ts";
import type { SeriesTable } from "../store/series_table.ts";
import type { SeriesRegistry } from "./series_registry.ts";

/**
 * What the process needs beside samples: code, heaps of its threads, inboxes, log
 * buffers, requests under way. Measured idle: 110 MB with two shards.
 */
export const PROCESS_BYTES = 160e6;
/** Names, keys and tree of a series; measured with hardware threads of real hosts. */
export const SERIES_NAME_BYTES = 350;
/** Free memory in the pool below which the oldest data goes. */
const FREE_BYTES_MIN = 8 << 20;
/** A pass gives up this part of the time that is held. */
const PASS_SHARE = 1 / 32;
/** Data is given up when this part of the share is used; the rest is for new series. */
const DATA_SHARE = 15 / 16;
/** When nothing could be given up, the next look is so much later. */
const RETRY_SEC = 1;

export class MemoryGuard {
  readonly #registry: SeriesRegistry;
  readonly #budgetBytes: number;
  /** Everything before it was given up; -Infinity: nothing was. */
  #horizonSec = -Infinity;
  #retryAtSec = -Infinity;

  /** `capBytes`: of the process, for all shards together; 0: none. */
  constructor(registry: SeriesRegistry, capBytes: number, shards: number) {
    this.#registry = registry;
    this.#budgetBytes = capBytes === 0
      ? Infinity
      : Math.max(0, capBytes - PROCESS_BYTES) / shards;
  }

  get horizonSec(): number {
    return this.#horizonSec;
  }

  /** Whether another series may be made. */
  get hasRoomForSeries(): boolean {
    return this.#budgetBytes === Infinity ||
      this.#usedBytes() < this.#budgetBytes;
  }

  #usedBytes(): number {
    const { table } = this.#registry;
    return table.reservedBytes + table.seriesCount * SERIES_NAME_BYTES;
  }

  /** Gives up the oldest data if memory is short. Returns whether it did. */
  relieve(nowSec: number): boolean {
    const { table } = this.#registry;
    const { pool } = table.pages;
    if (
      this.#usedBytes() < this.#budgetBytes * DATA_SHARE ||
      pool.touched - pool.held >= FREE_BYTES_MIN ||
      nowSec < this.#retryAtSec
    ) return false;
    const oldest = this.#firstReleaseSec();
    if (oldest > nowSec) {
      this.#retryAtSec = nowSec + RETRY_SEC;
      return false;
    }
    this.#horizonSec = Math.max(
      this.#horizonSec,
      oldest + Math.ceil((nowSec - oldest) * PASS_SHARE),
    );
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series)) continue;
      this.#registry.freeBefore(series, this.#horizonSec);
      if (table.isAlive(series)) table.trimBefore(series, this.#horizonSec);
    }
    return true;
  }

  /** The first horizon that gives something back; Infinity: none does. */
  #firstReleaseSec(): number {
    const { table } = this.#registry;
    let first = Infinity;
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series)) continue;
      first = Math.min(first, releaseSec(table, series));
    }
    return first;
  }
}

/**
 * The horizon that the series' oldest page or, if that is its last, its oldest
 * run lies before. Where a slot begins does not say it: the hot page of a slow
 * series reaches back for days and cannot be given up.
 */
function releaseSec(table: SeriesTable, series: number): number {
  const at = series << RECORD_SHIFT;
  const run = table.words[at + OLDEST]!;
  if (run === 0) return Infinity;
  const frequency = table.words[at + FREQUENCY]!;
  const zero = table.runStart(run) + Math.floor(frequency / 2);
  const length = table.runLength(series, run);
  const first = table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]!;
  const pageEnd = ((first >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
  return pageEnd < length
    ? zero + pageEnd * frequency
    : zero + length * frequency + 1;
}
