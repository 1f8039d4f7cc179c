/**
 * How many series each named instance has, over all shards. The default instance
 * is not counted: it has no limit of its own.
 *
 * A hash table in shared memory with open addressing. Slots are claimed for a name
 * and never given back; names of instances stay taken, too. All shards write it,
 * the main thread reads it.
 *
 * | offset of a slot | bytes | type | field | written by                        |
 * | ---------------- | ----- | ---- | ----- | --------------------------------- |
 * | 0                | 4     | i32  | STATE | all, by compare and exchange      |
 * | 4                | 4     | i32  | COUNT | all, by adding                    |
 * | 8                | 4     | i32  | BYTES | who claimed it, before it is full |
 * | 12               | 64    | u8   | name  | who claimed it, before it is full |
 */
import { assert } from "../../base/assert.ts";

/** Instances that are counted. One more cannot have a limit, and so is refused series. */
export const INSTANCES_MAX = 4096;
const NAME_BYTES_MAX = 64;
const NAME_AT = 12;
const SLOT_BYTES = NAME_AT + NAME_BYTES_MAX + 4;
const SLOT_WORDS = SLOT_BYTES / 4;

const STATE = 0;
const COUNT = 1;
const BYTES = 2;

const FREE = 0;
const CLAIMED = 1;
const FULL = 2;

/** Bounds a wait for a thread that was interrupted while it claimed a slot. */
const CLAIM_WAIT_MS = 1;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Returns the shared memory of an {@linkcode InstanceCounts}. */
export function createInstanceCounts(): SharedArrayBuffer {
  return new SharedArrayBuffer(INSTANCES_MAX * SLOT_BYTES);
}

export class InstanceCounts {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** First word of a name's slot, -1: the table is full or the name too long. */
  readonly #slots = new Map<string, number>();

  constructor(memory: SharedArrayBuffer) {
    assert(
      memory.byteLength === INSTANCES_MAX * SLOT_BYTES,
      "memory is not a table of instances",
    );
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /**
   * Counts one more series unless that would be more than `max` (0: no bound), or
   * there is a bound and nothing to count in. Returns whether it may be made.
   */
  add(instance: string, max: number): boolean {
    if (instance === "") return true;
    const slot = this.#slotOf(instance);
    if (slot < 0) return max === 0;
    const count = Atomics.add(this.#words, slot + COUNT, 1) + 1;
    if (max === 0 || count <= max) return true;
    Atomics.sub(this.#words, slot + COUNT, 1);
    return false;
  }

  /** One series less. */
  remove(instance: string): void {
    if (instance === "") return;
    const slot = this.#slotOf(instance);
    if (slot >= 0) Atomics.sub(this.#words, slot + COUNT, 1);
  }

  /** Series by instance, as they are now. */
  read(): Map<string, number> {
    const counts = new Map<string, number>();
    for (let slot = 0; slot < this.#words.length; slot += SLOT_WORDS) {
      if (Atomics.load(this.#words, slot + STATE) !== FULL) continue;
      counts.set(
        DECODER.decode(this.#nameAt(slot)),
        Atomics.load(this.#words, slot + COUNT),
      );
    }
    return counts;
  }

  #slotOf(instance: string): number {
    const known = this.#slots.get(instance);
    if (known !== undefined) return known;
    const slot = this.#claim(ENCODER.encode(instance));
    if (this.#slots.size < 2 * INSTANCES_MAX) this.#slots.set(instance, slot);
    return slot;
  }

  #claim(name: Uint8Array): number {
    if (name.length > NAME_BYTES_MAX) return -1;
    let index = hashOf(name) % INSTANCES_MAX;
    for (let probes = 0; probes < INSTANCES_MAX; probes++) {
      const slot = index * SLOT_WORDS;
      if (this.#take(slot, name)) return slot;
      index = (index + 1) % INSTANCES_MAX;
    }
    return -1;
  }

  /** Whether the slot is the name's, by now or since before. */
  #take(slot: number, name: Uint8Array): boolean {
    const words = this.#words;
    const before = Atomics.compareExchange(words, slot + STATE, FREE, CLAIMED);
    if (before === FREE) {
      words[slot + BYTES] = name.length;
      this.#bytes.set(name, slot * 4 + NAME_AT);
      Atomics.store(words, slot + STATE, FULL);
      return true;
    }
    while (Atomics.load(words, slot + STATE) === CLAIMED) {
      Atomics.wait(words, slot + STATE, CLAIMED, CLAIM_WAIT_MS);
    }
    const other = this.#nameAt(slot);
    return other.length === name.length &&
      name.every((byte, i) => byte === other[i]);
  }

  /** A copy: decoders take no shared memory. */
  #nameAt(slot: number): Uint8Array {
    const at = slot * 4 + NAME_AT;
    return this.#bytes.slice(at, at + this.#words[slot + BYTES]!);
  }
}

/** FNV-1a. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
