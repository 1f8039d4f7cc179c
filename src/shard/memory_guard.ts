/**
 * Keeps a shard within its share of `memory-cap`: the oldest data is given up
 * first; what cannot be given up, records and hot lanes of series, is kept from
 * growing. Owner thread only.
 *
 * Memory once taken from the system is not given back, so the guard acts before
 * the pool would take more: when its share is used up and little of it is free.
 * A part of the share is left to series, so that new ones are refused only when
 * giving up data does not help any more.
 *
 * Where samples are archived, the guard asks for a run of the archive and waits for
 * it: what is in no file stays. Writes that would take the rest of the share
 * meanwhile are refused.
 */
import type { ArchiveBounds } from "../archive/archive_bounds.ts";
import {
  FREQUENCY,
  NEXT_SLOT,
  OLDEST,
  PAGE_SHIFT,
  RECORD_SHIFT,
  RUN_FIRST,
} from "../store/layout.ts";
import type { SeriesTable } from "../store/series_table.ts";
import type { SeriesRegistry } from "./series_registry.ts";

/**
 * What the process needs beside samples: code, heaps of its threads, inboxes, log
 * buffers, requests under way. Measured with two shards while requests of 1.7 MB
 * come in as fast as they are taken: 257 to 266 MB (idle: 150).
 */
const MAIN_BYTES = 205e6;
const SHARD_BYTES = 25e6;

/**
 * What a run of the archive needs beside. Measured with 15,000 rows a host: 160 MB
 * more at its peak, of which 100 stay.
 */
const ARCHIVE_BYTES = 100e6;

export function processBytes(shards: number): number {
  return MAIN_BYTES + SHARD_BYTES * shards;
}

/**
 * What the process needs beside samples; a `memory-cap` below it leaves no room for
 * any series.
 */
export function besideBytes(shards: number, isArchiving: boolean): number {
  return processBytes(shards) + (isArchiving ? ARCHIVE_BYTES : 0);
}

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

/** The archive as the guard sees it. */
export interface GuardedArchive {
  readonly bounds: ArchiveBounds;
  /** Asks for a run that makes it possible to free what is before `limitSec`. */
  want(limitSec: number): void;
}

export class MemoryGuard {
  readonly #registry: SeriesRegistry;
  readonly #budgetBytes: number;
  /** Everything before it was given up; -Infinity: nothing was. */
  #horizonSec = -Infinity;
  #retryAtSec = -Infinity;
  readonly #archive: GuardedArchive | undefined;
  #isWaiting = false;
  /** How far the archive was when the guard looked last. */
  #seenArchivedSec = Infinity;

  /** `capBytes`: of the process, for all shards together; 0: none. */
  constructor(
    registry: SeriesRegistry,
    capBytes: number,
    shards: number,
    archive?: GuardedArchive,
  ) {
    this.#registry = registry;
    this.#archive = archive;
    const beside = besideBytes(shards, archive !== undefined);
    this.#budgetBytes = capBytes === 0
      ? Infinity
      : Math.max(0, capBytes - beside) / shards;
  }

  get horizonSec(): number {
    return this.#horizonSec;
  }

  /** Whether another series may be made. */
  get hasRoomForSeries(): boolean {
    return this.#budgetBytes === Infinity ||
      this.#usedBytes() < this.#budgetBytes;
  }

  /** Whether nothing may be written until the archive has made room. */
  get refusesWrites(): boolean {
    return this.#isWaiting && this.#usedBytes() >= this.#budgetBytes;
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
      pool.touched - pool.held >= FREE_BYTES_MIN
    ) {
      this.#isWaiting = false;
      return false;
    }
    const archivedSec = this.#archive?.bounds.archivedBeforeSec ?? Infinity;
    const isSame = archivedSec === this.#seenArchivedSec;
    if (nowSec < this.#retryAtSec && isSame) return false;
    this.#seenArchivedSec = archivedSec;
    const { oldest, newest } = this.#heldRange(nowSec);
    const wanted = oldest + Math.ceil((newest - oldest) * PASS_SHARE);
    this.#isWaiting = oldest <= newest && oldest > archivedSec;
    if (oldest > newest || this.#isWaiting) {
      this.#retryAtSec = nowSec + RETRY_SEC;
      if (this.#isWaiting) this.#archive?.want(wanted);
      return false;
    }
    this.#horizonSec = Math.max(
      this.#horizonSec,
      Math.min(wanted, archivedSec),
    );
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series)) continue;
      this.#registry.freeBefore(series, this.#horizonSec);
      if (table.isAlive(series)) table.trimBefore(series, this.#horizonSec);
    }
    return true;
  }

  /**
   * `oldest`: the first horizon that gives something back, Infinity if none does.
   * `newest`: the end of the newest data, which may be long ago while a history is
   * being written; at most now.
   */
  #heldRange(nowSec: number): { oldest: number; newest: number } {
    const { table } = this.#registry;
    let oldest = Infinity;
    let newest = -Infinity;
    for (let series = 0; series < table.seriesEnd; series++) {
      const at = series << RECORD_SHIFT;
      if (table.words[at + OLDEST] === 0) continue;
      oldest = Math.min(oldest, releaseSec(table, series));
      newest = Math.max(newest, table.floats[(at >> 1) + NEXT_SLOT]!);
    }
    return { oldest, newest: Math.min(nowSec, newest) };
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
  const frequency = table.words[at + FREQUENCY]!;
  const zero = table.runStart(run) + Math.floor(frequency / 2);
  const length = table.runLength(series, run);
  const first = table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]!;
  const pageEnd = ((first >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
  return pageEnd < length
    ? zero + pageEnd * frequency
    : zero + length * frequency + 1;
}
