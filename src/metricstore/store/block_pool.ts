/**
 * Memory for blocks of any length. Slabs are reserved on demand and kept for
 * ever: a SharedArrayBuffer that is dropped is not given back in time. Owner
 * thread only.
 *
 *     slab, 16 MiB ──► 1024 chunks of 16 KiB ──► blocks of one size class
 *
 * A chunk holds blocks of one class while any of them is in use; then it serves
 * whatever class needs one next. Blocks that are written together are dropped
 * together, so chunks do empty. Free blocks of a chunk are chained through their
 * first bytes. A block has no head: its class is its chunk's.
 *
 * Classes are one byte apart up to 64 bytes, then never more than 1/32 of the
 * size: rounding costs half a percent of real blocks.
 *
 * An id is the chunk's number and the block's number in it, an int32 that may be
 * negative; 0 is never handed out. Reach: 2^21 chunks, 32 GiB.
 *
 * Per chunk, all zero for one never used:
 *
 * | array    | meaning                                                       |
 * | -------- | ------------------------------------------------------------- |
 * | #sizes   | bytes of its blocks                                           |
 * | #counts  | blocks in use                                                 |
 * | #fresh   | blocks handed out at least once                               |
 * | #chains  | first free block + 1, 0: none                                 |
 * | #next    | next chunk of its class with room, or next empty chunk        |
 * | #before  | chunk before it in that list, 0: it is the first              |
 *
 * Cost: allocate and free O(1).
 */
import { assert } from "../../base/assert.ts";

const CHUNK_BYTES = 1 << 14;
/** Smallest block; a free one must hold the number of the next. */
const BLOCK_BYTES_MIN = 8;
const SLOT_BITS = 11;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHUNKS_MAX = 1 << (32 - SLOT_BITS);
const SLAB_CHUNKS_SHIFT = 10;
const SLAB_CHUNKS_MASK = (1 << SLAB_CHUNKS_SHIFT) - 1;
const SLAB_BYTES = CHUNK_BYTES << SLAB_CHUNKS_SHIFT;
/** Classes between one power of two and the next, from 64 bytes on. */
const CLASS_BITS = 5;

/** Longest block: more than a run of 512 float64. */
export const POOL_BLOCK_BYTES_MAX = 5 * 1024;

assert(
  CHUNK_BYTES / BLOCK_BYTES_MIN <= 1 << SLOT_BITS,
  "an id must name every block of a chunk",
);

export class BlockPool {
  readonly #slack: number;
  readonly #slabs: DataView[] = [];
  readonly #sizes = new Uint16Array(CHUNKS_MAX);
  readonly #counts = new Uint16Array(CHUNKS_MAX);
  readonly #fresh = new Uint16Array(CHUNKS_MAX);
  readonly #chains = new Uint16Array(CHUNKS_MAX);
  readonly #next = new Int32Array(CHUNKS_MAX);
  readonly #before = new Int32Array(CHUNKS_MAX);
  /** First chunk with room for blocks of so many bytes, 0: none. */
  readonly #withRoom = new Int32Array(POOL_BLOCK_BYTES_MAX + 1);
  /** First chunk that was emptied, 0: none. */
  #emptied = 0;
  /** Chunks taken from the slabs. */
  #chunks: number;
  #emptyChunks = 0;
  #used = 0;

  readonly #firstChunk: number;

  /**
   * `slackBytes`: room after every block that its reader may touch. Ids from 0 to
   * `reservedIds` are never handed out: they are the caller's own.
   */
  constructor(slackBytes: number, reservedIds = 0) {
    this.#slack = slackBytes;
    this.#firstChunk = (reservedIds >>> SLOT_BITS) + 1;
    this.#chunks = this.#firstChunk;
  }

  /** Bytes of the blocks in use, rounded up to their classes. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of memory that was ever touched: the cost of the pool. */
  get touched(): number {
    return (this.#chunks - this.#firstChunk + 1) * CHUNK_BYTES;
  }

  /** Bytes of the chunks in use; the rest of `touched` serves any class. */
  get held(): number {
    return (this.#chunks - this.#firstChunk - this.#emptyChunks) * CHUNK_BYTES;
  }

  /** Bytes of address space. */
  get reserved(): number {
    return this.#slabs.length * SLAB_BYTES;
  }

  /**
   * A block of at least so many bytes, 1 to POOL_BLOCK_BYTES_MAX, with undefined
   * contents. 0: all 32 GiB are in use.
   */
  allocate(bytes: number): number {
    const size = classBytes(bytes);
    let chunk = this.#withRoom[size]!;
    if (chunk === 0) {
      chunk = this.#takeChunk();
      if (chunk === 0) return 0;
      this.#sizes[chunk] = size;
      this.#link(chunk, size);
    }
    let slot = this.#chains[chunk]! - 1;
    if (slot >= 0) {
      const at = this.#chunkOffset(chunk) + slot * size;
      this.#chains[chunk] = this.#slab(chunk).getUint16(at, true);
    } else slot = this.#fresh[chunk]!++;
    this.#used += size;
    if (++this.#counts[chunk]! === this.#capacity(size)) this.#unlink(chunk);
    return chunk << SLOT_BITS | slot;
  }

  free(id: number): void {
    const chunk = id >>> SLOT_BITS;
    const slot = id & SLOT_MASK;
    const size = this.#sizes[chunk]!;
    assert(
      slot < this.#fresh[chunk]! && this.#counts[chunk]! > 0,
      "freed block is not in use",
    );
    this.#used -= size;
    if (this.#counts[chunk] === this.#capacity(size)) this.#link(chunk, size);
    if (--this.#counts[chunk]! === 0) {
      this.#unlink(chunk);
      this.#fresh[chunk] = 0;
      this.#chains[chunk] = 0;
      this.#next[chunk] = this.#emptied;
      this.#emptied = chunk;
      this.#emptyChunks++;
      return;
    }
    this.#slab(chunk).setUint16(this.offset(id), this.#chains[chunk]!, true);
    this.#chains[chunk] = slot + 1;
  }

  /** Room of the block, bytes. */
  bytes(id: number): number {
    return this.#sizes[id >>> SLOT_BITS]!;
  }

  /** The slab a block lies in. */
  view(id: number): DataView {
    return this.#slab(id >>> SLOT_BITS);
  }

  /** Where the block begins within its slab. */
  offset(id: number): number {
    const chunk = id >>> SLOT_BITS;
    return this.#chunkOffset(chunk) + (id & SLOT_MASK) * this.#sizes[chunk]!;
  }

  #slab(chunk: number): DataView {
    return this.#slabs[chunk >>> SLAB_CHUNKS_SHIFT]!;
  }

  #chunkOffset(chunk: number): number {
    return (chunk & SLAB_CHUNKS_MASK) * CHUNK_BYTES;
  }

  /** Blocks of a chunk; the last leaves room for the slack. */
  #capacity(size: number): number {
    return Math.floor((CHUNK_BYTES - this.#slack) / size);
  }

  /** A chunk for any class, 0: none left. */
  #takeChunk(): number {
    const emptied = this.#emptied;
    if (emptied !== 0) {
      this.#emptied = this.#next[emptied]!;
      this.#emptyChunks--;
      return emptied;
    }
    if (this.#chunks === CHUNKS_MAX) return 0;
    const chunk = this.#chunks++;
    if (chunk >>> SLAB_CHUNKS_SHIFT >= this.#slabs.length) {
      this.#slabs.push(new DataView(new SharedArrayBuffer(SLAB_BYTES)));
    }
    return chunk;
  }

  /** Puts a chunk first among those of its class with room. */
  #link(chunk: number, size: number): void {
    const second = this.#withRoom[size]!;
    this.#next[chunk] = second;
    this.#before[chunk] = 0;
    if (second !== 0) this.#before[second] = chunk;
    this.#withRoom[size] = chunk;
  }

  #unlink(chunk: number): void {
    const next = this.#next[chunk]!;
    const before = this.#before[chunk]!;
    if (before !== 0) this.#next[before] = next;
    else this.#withRoom[this.#sizes[chunk]!] = next;
    if (next !== 0) this.#before[next] = before;
  }
}

/** The size class of a block. */
function classBytes(bytes: number): number {
  assert(
    bytes >= 1 && bytes <= POOL_BLOCK_BYTES_MAX,
    `a block cannot have ${bytes} bytes`,
  );
  if (bytes <= BLOCK_BYTES_MIN) return BLOCK_BYTES_MIN;
  const shift = Math.max(0, 31 - Math.clz32(bytes - 1) - CLASS_BITS);
  return (((bytes - 1) >>> shift) + 1) << shift;
}
