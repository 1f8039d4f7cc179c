/**
 * Keeps a shard within its share of `memory-cap`: the oldest data is given up
 * first; what cannot be given up, records and hot lanes of series, is kept from
 * growing. Owner thread only.
 *
 * Memory once taken from the system is not given back, so the guard acts before
 * the pool would take more: when its share is used up and little of it is free.
 */
import { FREQUENCY, OLDEST, RECORD_SHIFT, RUN_FIRST } from "../store/layout.ts";
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

export class MemoryGuard {
  readonly #registry: SeriesRegistry;
  readonly #budgetBytes: number;
  /** Everything before it was given up; -Infinity: nothing was. */
  #horizonSec = -Infinity;

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
    const { pool } = this.#registry.table;
    if (
      this.#usedBytes() < this.#budgetBytes ||
      pool.touched - pool.held >= FREE_BYTES_MIN
    ) return false;
    const oldest = this.#oldestSec();
    if (oldest >= nowSec) return false;
    this.#horizonSec = Math.max(
      this.#horizonSec,
      oldest + Math.max(1, Math.ceil((nowSec - oldest) * PASS_SHARE)),
    );
    const { table } = this.#registry;
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series)) continue;
      this.#registry.freeBefore(series, this.#horizonSec);
      if (table.isAlive(series)) table.trimBefore(series, this.#horizonSec);
    }
    return true;
  }

  /** Begin of the oldest slot that is held in a sealed page or a whole run. */
  #oldestSec(): number {
    const { table } = this.#registry;
    let oldest = Infinity;
    for (let series = 0; series < table.seriesEnd; series++) {
      const at = series << RECORD_SHIFT;
      const run = table.words[at + OLDEST]!;
      if (run === 0) continue;
      const start = table.runStart(run) +
        table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]! *
          table.words[at + FREQUENCY]!;
      if (start < oldest) oldest = start;
    }
    return oldest;
  }
}
