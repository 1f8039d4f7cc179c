/**
 * Keeps a shard within its share of `memory-cap`: the oldest data is given up first, of
 * the instance that has more than its share (memory_shares.ts). Records and hot lanes
 * of series cannot be given up and are kept from growing. Owner thread only.
 *
 * Memory once taken from the system is not given back, so the guard acts before
 * the pool would take more: when its share is used up and little of it is free.
 * A part of the share is left to series, so that new ones are refused only when
 * giving up data does not help any more.
 *
 * Where samples are archived, the guard asks for a run of the archive and waits for it:
 * samples that are in no file stay. Writes that would take the rest of the share
 * meanwhile are refused.
 */
import type { ArchiveBounds } from "./archive_bounds.ts";
import { PAGE_SHIFT } from "../store/layout.ts";
import {
  firstSlot,
  newestEndSec,
  nominalSec,
  oldestRun,
  ownerOf,
} from "../store/records.ts";
import type { SeriesTable } from "../store/series_table.ts";
import { MemoryShares, SERIES_NAME_BYTES } from "./memory_shares.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

/**
 * Bytes that the process needs beside samples: code, heaps of its threads, inboxes, log
 * buffers, requests under way. Measured with two shards while requests of 1.7 MB come
 * in as fast as they are taken: 257 to 266 MB (idle: 150).
 */
const MAIN_BYTES = 205e6;
const SHARD_BYTES = 25e6;

/**
 * Bytes that a run of the archive needs beside. Measured with 15,000 rows a host: 160
 * MB more at its peak, of which 100 stay.
 */
const ARCHIVE_BYTES = 100e6;

/** Returns the bytes that the process needs beside samples, without archive runs. */
export function processBytes(shards: number): number {
  return MAIN_BYTES + SHARD_BYTES * shards;
}

/**
 * Returns the bytes that the process needs beside samples; a `memory-cap` below it
 * leaves no room for any series.
 */
export function besideBytes(shards: number, isArchiving: boolean): number {
  return processBytes(shards) + (isArchiving ? ARCHIVE_BYTES : 0);
}

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

/** Tells that a named instance lost what it had before a time. */
export type OnLoss = (instance: string, horizonSec: number) => void;

export class MemoryGuard {
  readonly #registry: SeriesRegistry;
  readonly #budgetBytes: number;
  readonly #shares: MemoryShares;
  /** By owner: everything before it was given up; absent: nothing was. */
  readonly #horizons = new Map<number, number>();
  #retryAtSec = -Infinity;
  readonly #archive: GuardedArchive | undefined;
  readonly #onLoss: OnLoss;
  #isWaiting = false;
  /** How far the archive was when the guard looked last. */
  #seenArchivedSec = Infinity;

  /** `capBytes`: of the process, for all shards together; 0: none. */
  constructor(
    registry: SeriesRegistry,
    capBytes: number,
    shards: number,
    archive?: GuardedArchive,
    onLoss: OnLoss = () => {},
  ) {
    this.#registry = registry;
    this.#archive = archive;
    this.#onLoss = onLoss;
    const beside = besideBytes(shards, archive !== undefined);
    this.#budgetBytes = capBytes === 0
      ? Infinity
      : Math.max(0, capBytes - beside) / shards;
    this.#shares = new MemoryShares(registry.table, this.#budgetBytes);
  }

  /** Everything of an instance before it was given up; -Infinity: nothing was. */
  horizonOf(instance: string): number {
    return this.#horizons.size === 0
      ? -Infinity
      : this.#horizons.get(this.#registry.ownerOf(instance)) ?? -Infinity;
  }

  /** Returns whether another series may be made at all. */
  get hasRoomForSeries(): boolean {
    return this.#budgetBytes === Infinity ||
      this.#usedBytes() < this.#budgetBytes;
  }

  /** Whether another series of an owner may be made. */
  hasRoomFor(owner: number): boolean {
    return this.#budgetBytes === Infinity ||
      this.#shares.mayGrow(owner, this.#usedBytes(), this.#isShort);
  }

  /** Whether nothing may be written until the archive has made room. */
  get refusesWrites(): boolean {
    return this.#isWaiting && this.#usedBytes() >= this.#budgetBytes;
  }

  /** The data's part of the budget was used up once, so data is given up for data. */
  get #isShort(): boolean {
    return this.#usedBytes() >= this.#budgetBytes * DATA_SHARE;
  }

  #usedBytes(): number {
    const { table } = this.#registry;
    return table.reservedBytes + table.seriesCount * SERIES_NAME_BYTES;
  }

  /** Gives up the oldest data if memory is short. Returns whether it did. */
  evict(nowSec: number): boolean {
    const { table, owners } = this.#registry;
    const { pool } = table.pages;
    if (owners.length > 1) this.#shares.look(owners.length);
    if (!this.#isShort || pool.touched - pool.held >= FREE_BYTES_MIN) {
      this.#isWaiting = false;
      return false;
    }
    const archivedSec = this.#archive?.bounds.archivedBeforeSec ?? Infinity;
    const isSame = archivedSec === this.#seenArchivedSec;
    if (nowSec < this.#retryAtSec && isSame) return false;
    this.#seenArchivedSec = archivedSec;
    const held = this.#heldRanges(nowSec);
    const owner = this.#shares.inOrderOfLoss(owners.length)
      .find((one) => held.oldest[one]! <= held.newest[one]!);
    const oldest = owner === undefined ? Infinity : held.oldest[owner]!;
    this.#isWaiting = owner !== undefined && oldest > archivedSec;
    if (owner === undefined || this.#isWaiting) {
      this.#retryAtSec = nowSec + RETRY_SEC;
      if (owner !== undefined) {
        this.#archive?.want(aPassBeyond(oldest, held.newest[owner]!));
      }
      return false;
    }
    const wanted = aPassBeyond(oldest, held.newest[owner]!);
    this.#giveUp(owner, Math.min(wanted, archivedSec));
    return true;
  }

  /** Gives up what an owner has before a time. */
  #giveUp(owner: number, beforeSec: number): void {
    const { table, owners } = this.#registry;
    const horizonSec = Math.max(
      this.#horizons.get(owner) ?? -Infinity,
      beforeSec,
    );
    this.#horizons.set(owner, horizonSec);
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series)) continue;
      if (ownerOf(table, series) !== owner) continue;
      this.#registry.freeBefore(series, horizonSec);
      if (table.isAlive(series)) table.trimBefore(series, horizonSec);
    }
    if (owner !== 0) this.#onLoss(owners[owner]!, horizonSec);
  }

  /**
   * By owner. `oldest`: the first horizon that gives something back, Infinity if none
   * does. `newest`: the end of the newest data, which may be long ago while a history
   * is being written; at most now.
   */
  #heldRanges(
    nowSec: number,
  ): { readonly oldest: Float64Array; readonly newest: Float64Array } {
    const { table, owners } = this.#registry;
    const oldest = new Float64Array(owners.length).fill(Infinity);
    const newest = new Float64Array(owners.length).fill(-Infinity);
    for (let series = 0; series < table.seriesEnd; series++) {
      if (oldestRun(table, series) === 0) continue;
      const owner = ownerOf(table, series);
      oldest[owner] = Math.min(oldest[owner]!, releaseSec(table, series));
      const end = Math.min(nowSec, newestEndSec(table, series));
      newest[owner] = Math.max(newest[owner]!, end);
    }
    return { oldest, newest };
  }
}

function aPassBeyond(oldestSec: number, newestSec: number): number {
  return oldestSec + Math.ceil((newestSec - oldestSec) * PASS_SHARE);
}

/**
 * The horizon that the series' oldest page or, if that is its last, its oldest
 * run lies before. Where a slot begins does not say it: the hot page of a slow
 * series reaches back for days and cannot be given up.
 */
function releaseSec(table: SeriesTable, series: number): number {
  const run = oldestRun(table, series);
  const length = table.runLength(series, run);
  const first = firstSlot(table, run);
  const pageEnd = ((first >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
  return pageEnd < length
    ? nominalSec(table, series, run, pageEnd)
    : nominalSec(table, series, run, length) + 1;
}
