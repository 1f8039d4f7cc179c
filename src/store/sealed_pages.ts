/**
 * Pages that a series has left: 64 slots each, compressed into blocks of the pool.
 * Owner thread only.
 */
import { assert } from "../assert.ts";
import {
  BLOCK_SLACK,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";
import { BlockPool } from "./block_pool.ts";
import { PAGE_SLOTS } from "./layout.ts";

/** A page on its way into or out of a block. */
export const PAGE = new Float64Array(PAGE_SLOTS);
const BLOCK = new Uint8Array(blockBytesMax(PAGE_SLOTS) + BLOCK_SLACK);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

export class SealedPages {
  readonly pool = new BlockPool(BLOCK_SLACK);

  /** Decodes a block into PAGE; 0: all slots empty. */
  load(block: number): void {
    if (block === 0) {
      PAGE.fill(NaN);
      return;
    }
    const view = this.pool.view(block);
    decodeBlock(view, this.pool.offset(block), 0, PAGE_SLOTS, PAGE, 0);
  }

  /** Encodes PAGE into the pool and returns its block. */
  seal(): number {
    const bytes = encodeBlock(PAGE, 0, PAGE_SLOTS, BLOCK_VIEW);
    return this.#keepEncoded(bytes);
  }

  /** Copies a block into the pool and returns its id. */
  keep(block: Uint8Array): number {
    BLOCK.set(block);
    return this.#keepEncoded(block.length);
  }

  /** Copies the first bytes of BLOCK into the pool, without making a view for it. */
  #keepEncoded(bytes: number): number {
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
    return id;
  }
}
