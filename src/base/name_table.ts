/**
 * Names that lines repeat by the thousand, as the strings they were decoded to the
 * first time: metrics, tag keys, types, ids, hosts. A direct-mapped table: a name
 * takes the place of whichever had its hash before, so memory is fixed
 * (`SLOTS` x `NAME_BYTES_MAX` bytes and as many short strings). Owner thread only.
 */

/** Enough for the hosts and threads of a shard; a power of two. */
const SLOTS = 8192;
/** Longer names are decoded each time. */
export const NAME_BYTES_MAX = 64;
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class NameTable {
  readonly #bytes = new Uint8Array(SLOTS * NAME_BYTES_MAX);
  /** 0: the slot is empty. */
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #names = new Array<string>(SLOTS).fill("");
  readonly #decode: (bytes: Uint8Array<ArrayBuffer>) => string;

  /** `decode` gets names that are not known, in memory that is not shared. */
  constructor(decode: (bytes: Uint8Array<ArrayBuffer>) => string) {
    this.#decode = decode;
  }

  /**
   * The name in `bytes[start, end)`, taken as it is. Throws what `decode` throws,
   * and keeps nothing then.
   */
  get(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > NAME_BYTES_MAX) {
      return this.#decode(new Uint8Array(bytes.subarray(start, end)));
    }
    let hash = FNV_BASIS;
    for (let p = start; p < end; p++) {
      hash = Math.imul(hash ^ bytes[p]!, FNV_PRIME);
    }
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const at = slot * NAME_BYTES_MAX;
    if (this.#lengths[slot] === length) {
      const known = this.#bytes;
      let i = 0;
      while (i < length && known[at + i] === bytes[start + i]) i++;
      if (i === length) return this.#names[slot]!;
    }
    const name = this.#decode(new Uint8Array(bytes.subarray(start, end)));
    for (let i = 0; i < length; i++) this.#bytes[at + i] = bytes[start + i]!;
    this.#lengths[slot] = length;
    this.#names[slot] = name;
    return name;
  }
}
