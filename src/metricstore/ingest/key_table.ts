/**
 * Raw key bytes of a line → what the line means. The raw key is everything up to
 * and including `value=`, byte for byte, together with the context it was read
 * in (instance, default cluster, limits); the same bytes in the same context always
 * mean the same, so tags are parsed once in a key's life. Owner thread only.
 *
 * Collectors send the same series in the same order, so each key remembers the
 * key that followed it last time: the next line is compared with that prediction
 * and only hashed on a miss.
 *
 * Key record, 8 x int32:
 *
 * | word | field      | meaning                                              |
 * | ---- | ---------- | ---------------------------------------------------- |
 * | 0    | KEY_AT     | first word of the bytes in the arena                 |
 * | 1    | KEY_BYTES  | length of the key, at least 4                        |
 * | 2    | KEY_TAIL   | the last four bytes of the key                       |
 * | 3    | KEY_TARGET | >= 0: series; < 0: ~shard of the owner               |
 * | 4    | KEY_NEXT   | key predicted to follow                              |
 * | 5    | KEY_HASH   |                                                      |
 * | 6    | KEY_CHAIN  | next key of the same bucket, 0: none                 |
 * | 7    | KEY_CONTEXT|                                                      |
 *
 * Bounded: when the arena or the records are full, or when too many keys point to
 * series that have ended, the owner clears the table; keys are learnt again from
 * the lines that come. Both are reserved at once and cost what is used of them: a
 * table that grew by copying would cost twice that, since a shard's thread has no
 * time in which memory is collected.
 */

export const KEY_SHIFT = 3;
export const KEY_WORDS = 1 << KEY_SHIFT;
export const KEY_AT = 0;
export const KEY_BYTES = 1;
export const KEY_TAIL = 2;
export const KEY_TARGET = 3;
export const KEY_NEXT = 4;
const KEY_HASH = 5;
const KEY_CHAIN = 6;
export const KEY_CONTEXT = 7;

/** Some 256 MiB of keys: as many series as a shard can hold, twice. */
const KEYS_MAX = 1 << 22;
/** Room for a key of ordinary length. */
const ARENA_WORDS_PER_KEY = 16;
const FIRST_BUCKETS = 1024;

/** Longer keys are parsed each time instead of being kept. */
export const KEY_BYTES_MAX = 1024;

export class KeyTable {
  /** Records; key 0 is reserved: it stands for "none" and matches nothing. */
  readonly records: Int32Array;
  /** Key bytes, each key beginning at a word. */
  readonly arena: Int32Array;
  readonly #arenaBytes: Uint8Array;
  #buckets = new Int32Array(FIRST_BUCKETS);
  #keyCount = 1;
  #arenaWords = 0;
  readonly #keysMax: number;

  constructor(keysMax = KEYS_MAX) {
    this.#keysMax = keysMax;
    this.records = new Int32Array(
      new SharedArrayBuffer(keysMax * KEY_WORDS * 4),
    );
    const arena = new SharedArrayBuffer(
      keysMax * ARENA_WORDS_PER_KEY * 4 + KEY_BYTES_MAX,
    );
    this.arena = new Int32Array(arena);
    this.#arenaBytes = new Uint8Array(arena);
    this.clear();
  }

  get size(): number {
    return this.#keyCount - 1;
  }

  /** No further key can be kept. */
  get isFull(): boolean {
    return this.#keyCount >= this.#keysMax ||
      this.#arenaWords + KEY_BYTES_MAX / 4 > this.arena.length;
  }

  /** Forgets every key. */
  clear(): void {
    this.#buckets.fill(0);
    this.#keyCount = 1;
    this.#arenaWords = 0;
    this.records.fill(0, 0, KEY_WORDS);
    // Key 0 has an impossible context, so that comparing with it fails at once.
    this.records[KEY_CONTEXT] = -1;
    this.records[KEY_BYTES] = KEY_BYTES_MAX + 1;
  }

  /** The key with these bytes in this context, 0: not known. */
  find(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    context: number,
  ): number {
    const records = this.records;
    let key = this.#buckets[hash & (this.#buckets.length - 1)]!;
    while (key !== 0) {
      const at = key << KEY_SHIFT;
      if (
        records[at + KEY_HASH] === hash &&
        records[at + KEY_BYTES] === end - start &&
        records[at + KEY_CONTEXT] === context &&
        this.#sameBytes(records[at + KEY_AT]! << 2, bytes, start, end)
      ) return key;
      key = records[at + KEY_CHAIN]!;
    }
    return 0;
  }

  #sameBytes(
    at: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const arena = this.#arenaBytes;
    for (let i = start; i < end; i++) {
      if (arena[at++] !== bytes[i]) return false;
    }
    return true;
  }

  /**
   * Remembers a key that `find` did not know. Returns 0 where it is not kept: too
   * short or too long, or no room.
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    context: number,
    target: number,
  ): number {
    const length = end - start;
    if (length < 4 || length > KEY_BYTES_MAX) return 0;
    if (this.isFull) return 0;
    const words = (length + 3) >> 2;
    if (this.#keyCount === this.#buckets.length) {
      this.#rehash(this.#buckets.length * 2);
    }
    const key = this.#keyCount++;
    const at = key << KEY_SHIFT;
    const bucket = hash & (this.#buckets.length - 1);
    const arenaAt = this.#arenaWords << 2;
    this.#arenaBytes.set(bytes.subarray(start, end), arenaAt);
    const records = this.records;
    records[at + KEY_AT] = this.#arenaWords;
    records[at + KEY_BYTES] = length;
    records[at + KEY_TAIL] = bytes[end - 4]! | (bytes[end - 3]! << 8) |
      (bytes[end - 2]! << 16) | (bytes[end - 1]! << 24);
    records[at + KEY_TARGET] = target;
    records[at + KEY_NEXT] = 0;
    records[at + KEY_HASH] = hash;
    records[at + KEY_CHAIN] = this.#buckets[bucket]!;
    records[at + KEY_CONTEXT] = context;
    this.#buckets[bucket] = key;
    this.#arenaWords += words;
    return key;
  }

  /** Points a key at what it means now. */
  setTarget(key: number, target: number): void {
    this.records[(key << KEY_SHIFT) + KEY_TARGET] = target;
  }

  #rehash(size: number): void {
    this.#buckets = new Int32Array(size);
    for (let key = 1; key < this.#keyCount; key++) {
      const at = key << KEY_SHIFT;
      const bucket = this.records[at + KEY_HASH]! & (size - 1);
      this.records[at + KEY_CHAIN] = this.#buckets[bucket]!;
      this.#buckets[bucket] = key;
    }
  }
}

/** FNV-1a over the bytes with a final mix, so that low bits serve as a bucket. */
export function hashKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  context: number,
): number {
  let hash = (0x811c9dc5 ^ context) | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 12);
}
