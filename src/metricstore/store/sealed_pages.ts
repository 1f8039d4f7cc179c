/**
 * Pages that a series has left: 64 slots each. Sealed, they are compressed blocks of
 * the pool. A late or repeated sample thaws its page: the slots lie open until
 * nothing was written to them for a while or others need the room. Readers see both.
 * Owner thread only.
 *
 * A run record names its pages by an int32: 0 is an empty page, 1 to
 * `THAWED_PAGES_MAX` an open one, everything else a block of the pool.
 *
 * Cost: to thaw a page decodes it once, however many of its slots are written then.
 */
import { assert } from "../../base/assert.ts";
import {
  BLOCK_SLACK,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";
import { BlockPool } from "./block_pool.ts";
import {
  OWNERS_MAX,
  PAGE_MASK,
  PAGE_SHIFT,
  PAGE_SLOTS,
  RECORD_WORDS,
  RUN_OWNER,
} from "./layout.ts";

/** A page on its way into or out of a block. */
export const PAGE = new Float64Array(PAGE_SLOTS);
const BLOCK = new Uint8Array(blockBytesMax(PAGE_SLOTS) + BLOCK_SLACK);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

/**
 * Pages that lie open at a time, 512 bytes each. A redelivered stream goes through
 * all series of a shard in turn, so it takes about one page a series to decode each
 * page once and not once a sample.
 */
export const THAWED_PAGES_MAX = 1 << 16;

/** Whether a page of a run record lies open. */
export function isThawed(page: number): boolean {
  return page > 0 && page <= THAWED_PAGES_MAX;
}

/** Index of the first slot of an open page in `SealedPages.thawed`. */
export function thawedAt(page: number): number {
  return (page - 1) << PAGE_SHIFT;
}

const RECORD_MASK = RECORD_WORDS - 1;
const PAGE_BYTES = PAGE_SLOTS * 8;

export class SealedPages {
  readonly pool = new BlockPool(BLOCK_SLACK, THAWED_PAGES_MAX);
  /** The slots of the open pages; reserved, so that only used ones cost memory. */
  readonly thawed: Float64Array;
  /** The words that name pages: the run records. */
  readonly #words: Int32Array;
  readonly #max: number;
  /** Where in `#words` an open page is named; 0: nowhere, it is free. */
  readonly #namedAt: Int32Array;
  /** 1: written since the hand passed. */
  readonly #wasWritten: Uint8Array;
  readonly #free: number[] = [];
  /** Bytes of blocks, open pages and runs that each owner has, by RUN_OWNER. */
  readonly ownedBytes = new Float64Array(OWNERS_MAX);
  /** Pages below this were open at least once. */
  #end = 0;
  #hand = 0;

  /** `runWords`: the run records; `thawedMax` is at most `THAWED_PAGES_MAX`. */
  constructor(runWords: Int32Array, thawedMax = THAWED_PAGES_MAX) {
    assert(
      thawedMax >= 1 && thawedMax <= THAWED_PAGES_MAX,
      `open pages must be 1 to ${THAWED_PAGES_MAX}, are ${thawedMax}`,
    );
    this.#words = runWords;
    this.#max = thawedMax;
    this.thawed = new Float64Array(
      new SharedArrayBuffer(thawedMax * PAGE_SLOTS * 8),
    );
    this.#namedAt = new Int32Array(thawedMax);
    this.#wasWritten = new Uint8Array(thawedMax);
  }

  /** How many pages lie open. */
  get thawedCount(): number {
    return this.#end - this.#free.length;
  }

  /** Bytes of memory that open pages ever touched. */
  get thawedBytes(): number {
    return this.#end * PAGE_SLOTS * 8;
  }

  /** Writes one slot of the page that `runWords[pageAt]` names, and opens it for that. */
  write(pageAt: number, slot: number, value: number): void {
    let page = this.#words[pageAt]!;
    if (!isThawed(page)) page = this.#thaw(pageAt, page);
    this.#wasWritten[page - 1] = 1;
    this.thawed[thawedAt(page) + (slot & PAGE_MASK)] = value;
  }

  #thaw(pageAt: number, block: number): number {
    const page = this.#takeOpen();
    this.load(block);
    this.drop(pageAt);
    this.own(pageAt, PAGE_BYTES);
    this.thawed.set(PAGE, thawedAt(page));
    this.#namedAt[page - 1] = pageAt;
    this.#words[pageAt] = page;
    return page;
  }

  /** An open page for another run; where there is none left, one that was not written lately. */
  #takeOpen(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#end < this.#max) return ++this.#end;
    for (;;) {
      const page = this.#passHand();
      if (this.#wasWritten[page - 1] === 0) {
        this.#sealOpen(page);
        return this.#free.pop()!;
      }
      this.#wasWritten[page - 1] = 0;
    }
  }

  #passHand(): number {
    const page = this.#hand + 1;
    this.#hand = page >= this.#end ? 0 : page;
    return page;
  }

  /**
   * Seals those of the next `looks` open pages that were not written since they were
   * looked at last. Call it now and then while there is time.
   */
  sealLeft(looks: number): void {
    if (this.thawedCount === 0) return;
    for (let i = Math.min(looks, this.#end); i > 0; i--) {
      const page = this.#passHand();
      if (this.#namedAt[page - 1] === 0) continue;
      if (this.#wasWritten[page - 1] === 0) this.#sealOpen(page);
      else this.#wasWritten[page - 1] = 0;
    }
  }

  #sealOpen(page: number): void {
    const at = thawedAt(page);
    let values = 0;
    for (let i = 0; i < PAGE_SLOTS; i++) {
      const value = PAGE[i] = this.thawed[at + i]!;
      if (value === value) values++;
    }
    const pageAt = this.#namedAt[page - 1]!;
    this.drop(pageAt);
    if (values > 0) this.seal(pageAt);
  }

  #release(page: number): void {
    this.#namedAt[page - 1] = 0;
    this.#wasWritten[page - 1] = 0;
    this.#free.push(page);
  }

  /** Gives back the page that `runWords[pageAt]` names. */
  drop(pageAt: number): void {
    const page = this.#words[pageAt]!;
    if (page === 0) return;
    if (isThawed(page)) {
      this.own(pageAt, -PAGE_BYTES);
      this.#release(page);
    } else {
      this.own(pageAt, -this.pool.bytes(page));
      this.pool.free(page);
    }
    this.#words[pageAt] = 0;
  }

  /** Counts memory for the owner of a run, named by an index in its record. */
  own(at: number, bytes: number): void {
    const owner = this.#words[(at & ~RECORD_MASK) + RUN_OWNER]!;
    this.ownedBytes[owner]! += bytes;
  }

  /** Copies a page into PAGE; of page 0 all slots are empty. */
  load(page: number): void {
    if (page === 0) {
      PAGE.fill(NaN);
      return;
    }
    if (isThawed(page)) {
      const at = thawedAt(page);
      for (let i = 0; i < PAGE_SLOTS; i++) PAGE[i] = this.thawed[at + i]!;
      return;
    }
    const view = this.pool.view(page);
    decodeBlock(view, this.pool.offset(page), 0, PAGE_SLOTS, PAGE, 0);
  }

  /** Encodes PAGE into the pool, as the page that `runWords[pageAt]` names from now on. */
  seal(pageAt: number): void {
    this.#keepEncoded(pageAt, encodeBlock(PAGE, 0, PAGE_SLOTS, BLOCK_VIEW));
  }

  /** Copies a block into the pool, as the page that `runWords[pageAt]` names from now on. */
  keep(pageAt: number, block: Uint8Array): void {
    BLOCK.set(block);
    this.#keepEncoded(pageAt, block.length);
  }

  /** Copies the first bytes of BLOCK into the pool, without making a view for it. */
  #keepEncoded(pageAt: number, bytes: number): void {
    const { pool } = this;
    const id = pool.allocate(bytes);
    assert(id !== 0, "a shard holds more than its pool can address");
    const view = pool.view(id);
    const at = pool.offset(id);
    let i = 0;
    for (; i + 4 <= bytes; i += 4) {
      view.setInt32(at + i, BLOCK_VIEW.getInt32(i));
    }
    for (; i < bytes; i++) view.setUint8(at + i, BLOCK[i]!);
    this.#words[pageAt] = id;
    this.own(pageAt, pool.bytes(id));
  }
}
