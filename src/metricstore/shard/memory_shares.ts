/**
 * Which instance gives way when a shard's memory is short. A named instance has a
 * quarter of the shard's budget, all named ones together a half, in equal parts where
 * that is not enough; the default instance has the rest. While memory is not short an
 * instance may use the share that others leave. Hot lanes and records are never given
 * back to the system, so series of a named instance never take more than its share.
 * Owner thread only.
 */
import { SERIES_BYTES, type SeriesTable } from "../store/series_table.ts";

/** Names, keys and tree of a series; measured with hardware threads of real hosts. */
export const SERIES_NAME_BYTES = 350;

/** Part of the budget of one named instance. */
const NAMED_SHARE = 1 / 4;
/** Part of the budget of all named instances together. */
const ALL_NAMED_SHARE = 1 / 2;
/** Owners above their share leave the last part of the budget to the others. */
const ABOVE_SHARE = 31 / 32;

const SERIES_COST = SERIES_BYTES + SERIES_NAME_BYTES;

export class MemoryShares {
  readonly #table: SeriesTable;
  readonly #budgetBytes: number;
  /** Bytes that a named instance may have at present. */
  #namedBytesMax: number;

  /** `budgetBytes`: bytes that samples and series of the shard may take. */
  constructor(table: SeriesTable, budgetBytes: number) {
    this.#table = table;
    this.#budgetBytes = budgetBytes;
    this.#namedBytesMax = budgetBytes * NAMED_SHARE;
  }

  /** Bytes that the samples and series of an owner take. */
  bytesOf(owner: number): number {
    return this.#table.pages.ownedBytes[owner]! + this.#seriesBytesOf(owner);
  }

  #seriesBytesOf(owner: number): number {
    return this.#table.ownedSeries[owner]! * SERIES_COST;
  }

  /** Looks how much the named instances have; owners are below `end`. */
  look(end: number): void {
    let all = 0;
    let count = 0;
    for (let owner = 1; owner < end; owner++) {
      const bytes = this.bytesOf(owner);
      if (bytes === 0) continue;
      all += bytes;
      count++;
    }
    const budget = this.#budgetBytes;
    this.#namedBytesMax = all <= budget * ALL_NAMED_SHARE
      ? budget * NAMED_SHARE
      : budget * Math.min(NAMED_SHARE, ALL_NAMED_SHARE / count);
  }

  /** Whether an owner has more than its share. */
  isAbove(owner: number): boolean {
    const share = owner === 0
      ? this.#budgetBytes * (1 - ALL_NAMED_SHARE)
      : this.#namedBytesMax;
    return this.bytesOf(owner) > share;
  }

  /**
   * Whether an owner may have another series, where `usedBytes` of the budget are
   * taken; `isShort`: data is given up for want of memory.
   */
  mayGrow(owner: number, usedBytes: number, isShort: boolean): boolean {
    const budget = this.#budgetBytes;
    const isAbove = this.isAbove(owner);
    if (usedBytes >= (isAbove ? budget * ABOVE_SHARE : budget)) return false;
    if (owner === 0) return true;
    return !(isShort && isAbove) &&
      this.#seriesBytesOf(owner) < this.#namedBytesMax;
  }

  /**
   * Returns the owners in the order in which they give data up: named instances above
   * their share, the largest first; the default instance; and last, so that the process
   * lives, the rest.
   */
  inOrderOfLoss(end: number): number[] {
    const named = Array.from({ length: Math.max(0, end - 1) }, (_, i) => i + 1)
      .filter((owner) => this.bytesOf(owner) > 0)
      .sort((a, b) => this.bytesOf(b) - this.bytesOf(a));
    return [
      ...named.filter((owner) => this.isAbove(owner)),
      0,
      ...named.filter((owner) => !this.isAbove(owner)),
    ];
  }
}
