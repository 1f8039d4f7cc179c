/**
 * Files in memory that fail on purpose. They know what was written (outlives a
 * killed process) from what was synced (outlives a power cut), for contents and
 * for names alike. All chance comes from one seed, so that a sequence of calls
 * fails the same way every time.
 *
 * What a device does here that tests must expect:
 * - A write takes a part, or fails after having taken a part.
 * - After a failed sync what was to be synced may never reach the device, although
 *   it can still be read and the next sync succeeds.
 * - A power cut keeps any beginning of what was not synced, with zeros or garbage
 *   in it, and any beginning of a directory's changes, in their order.
 */
import { dirname } from "node:path/posix";
import { Random } from "../../benches/support/random.ts";
import type { Files, OpenFile } from "../../src/metricstore/persist/files.ts";

/** Calls out of 1,000 that fail. */
export interface FaultRates {
  /** Takes a part and says so. */
  shortWrite: number;
  /** Takes a part and throws. */
  write: number;
  sync: number;
  truncate: number;
  create: number;
  rename: number;
  remove: number;
  syncDirectory: number;
}

const NO_FAULTS: FaultRates = {
  shortWrite: 0,
  write: 0,
  sync: 0,
  truncate: 0,
  create: 0,
  rename: 0,
  remove: 0,
  syncDirectory: 0,
};

/** A power cut decides about the unsynced bytes of a file block by block. */
const BLOCK_BYTES = 64;

class Inode {
  bytes = new Uint8Array(0);
  /** What a power cut leaves for certain. */
  durable = new Uint8Array(0);
  /** Ranges [from, to) that a failed sync took off the list of what to write. */
  dropped: (readonly [number, number])[] = [];

  /** What a sync that succeeds puts on the device. */
  settled(): Uint8Array<ArrayBuffer> {
    const settled = this.bytes.slice();
    for (const [from, to] of this.dropped) settled.fill(0, from, to);
    return settled;
  }
}

type Names = Map<string, Inode>;
type NameChange = (names: Names) => void;

export class FaultFiles implements Files {
  /** What goes wrong from now on. */
  readonly rates: FaultRates = { ...NO_FAULTS };
  /** Bytes that fit; a write takes what is left and then fails. */
  capacityBytes = Infinity;
  /** Offsets of a file, by path, that cannot be read: [from, to). */
  readonly unreadable = new Map<string, readonly [number, number]>();
  /** Faults so far, for the message of a test that fails. */
  readonly faults: string[] = [];
  /** Calls of `write`, so that tests can count them. */
  writes = 0;
  readonly #random: Random;
  readonly #names: Names = new Map();
  #durableNames: Names = new Map();
  /** By directory: changes that no sync has seen, in their order. */
  readonly #changes = new Map<string, NameChange[]>();
  /** Files opened before a kill are of no use after it. */
  #process = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  create(path: string): OpenFile {
    this.#fault("create", path);
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = new Inode();
      const made = inode;
      this.#change(path, (names) => names.set(path, made));
    }
    inode.bytes = new Uint8Array(0);
    inode.dropped = [];
    return this.#open(path, inode);
  }

  openToRead(path: string): OpenFile {
    return this.#open(path, this.#inode(path));
  }

  rename(from: string, to: string): void {
    const inode = this.#inode(from);
    this.#fault("rename", to);
    this.#change(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  remove(path: string): void {
    this.#inode(path);
    this.#fault("remove", path);
    this.#change(path, (names) => names.delete(path));
  }

  list(directory: string): string[] {
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === directory)
      .map((path) => path.slice(directory.length + 1))
      .sort();
  }

  /** Directories are there as soon as a file is. */
  makeDirectory(_directory: string): void {}

  syncDirectory(directory: string): void {
    this.#fault("syncDirectory", directory);
    for (const change of this.#changes.get(directory) ?? []) {
      change(this.#durableNames);
    }
    this.#changes.delete(directory);
  }

  /** No more faults, and room. */
  heal(): void {
    Object.assign(this.rates, NO_FAULTS);
    this.capacityBytes = Infinity;
  }

  /** The process ends; what was written stays. */
  kill(): void {
    this.#process++;
  }

  /** The machine stops; what was not synced stays in part. */
  cutPower(): void {
    this.kill();
    for (const changes of this.#changes.values()) {
      const kept = this.#random.below(changes.length + 1);
      for (const change of changes.slice(0, kept)) change(this.#durableNames);
    }
    this.#changes.clear();
    for (const inode of new Set(this.#durableNames.values())) {
      this.#cutInode(inode);
    }
    this.#names.clear();
    for (const [path, inode] of this.#durableNames) {
      this.#names.set(path, inode);
    }
  }

  /** What the file holds; changes to it are changes of the file. */
  bytesOf(path: string): Uint8Array {
    return this.#inode(path).bytes;
  }

  /** Puts a file there, durable. */
  put(path: string, bytes: Uint8Array): void {
    const inode = new Inode();
    inode.bytes = bytes.slice();
    inode.durable = bytes.slice();
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  #cutInode(inode: Inode): void {
    const settled = inode.settled();
    const from = Math.min(inode.durable.length, settled.length);
    const to = from + this.#random.below(settled.length - from + 1);
    // A cut that was not synced may be undone.
    const wasCut = settled.length < inode.durable.length;
    const kept = wasCut && this.#random.below(2) === 0
      ? inode.durable.slice()
      : settled.slice(0, to);
    if (!wasCut) kept.set(inode.durable);
    for (let at = from; at < kept.length && !wasCut; at += BLOCK_BYTES) {
      const block = kept.subarray(Math.max(at, from), at + BLOCK_BYTES);
      const fate = this.#random.below(10);
      if (fate === 0) block.fill(0);
      if (fate === 1) block.forEach((_, i) => block[i] = this.#byte());
    }
    inode.bytes = kept;
    inode.durable = kept.slice();
    inode.dropped = [];
  }

  #byte(): number {
    return this.#random.below(256);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) {
      throw new Deno.errors.NotFound(
        `No such file or directory (os error 2): open '${path}'`,
      );
    }
    return inode;
  }

  #change(path: string, change: NameChange): void {
    change(this.#names);
    const directory = dirname(path);
    const changes = this.#changes.get(directory) ?? [];
    changes.push(change);
    this.#changes.set(directory, changes);
  }

  #fails(kind: keyof FaultRates, path: string): boolean {
    // Without rates no number is drawn: a test may add faults late.
    const rate = this.rates[kind];
    if (rate === 0 || this.#random.below(1000) >= rate) return false;
    this.faults.push(`${kind} ${path}`);
    return true;
  }

  #fault(kind: keyof FaultRates, path: string): void {
    if (this.#fails(kind, path)) throw ioError();
  }

  #usedBytes(): number {
    let sum = 0;
    for (const inode of this.#names.values()) sum += inode.bytes.length;
    return sum;
  }

  #open(path: string, inode: Inode): OpenFile {
    const process = this.#process;
    let isOpen = true;
    const use = () => {
      if (!isOpen) throw new Error(`${path} is used after it was closed`);
      if (process !== this.#process) {
        throw new Error(`${path} is used after the process ended`);
      }
    };
    return {
      write: (bytes) => {
        use();
        return this.#write(path, inode, bytes);
      },
      read: (target, offset) => {
        use();
        return this.#read(path, inode, target, offset);
      },
      size: () => inode.bytes.length,
      truncate: (bytes) => {
        use();
        this.#fault("truncate", path);
        inode.bytes = inode.bytes.slice(0, bytes);
      },
      sync: () => {
        use();
        this.#sync(path, inode);
      },
      close: () => {
        isOpen = false;
      },
    };
  }

  #write(path: string, inode: Inode, bytes: Uint8Array): number {
    this.writes++;
    const room = Math.max(0, this.capacityBytes - this.#usedBytes());
    if (room === 0 && bytes.length > 0) {
      this.faults.push(`full ${path}`);
      throw noSpaceError();
    }
    const isFailing = this.#fails("write", path);
    const isShort = !isFailing && bytes.length > 1 &&
      this.#fails("shortWrite", path);
    const wanted = isFailing
      ? this.#random.below(bytes.length + 1)
      : isShort
      ? 1 + this.#random.below(bytes.length - 1)
      : bytes.length;
    const taken = Math.min(wanted, room);
    const grown = new Uint8Array(inode.bytes.length + taken);
    grown.set(inode.bytes);
    grown.set(bytes.subarray(0, taken), inode.bytes.length);
    inode.bytes = grown;
    if (isFailing) throw ioError();
    return taken;
  }

  #read(
    path: string,
    inode: Inode,
    target: Uint8Array,
    offset: number,
  ): number {
    const [from, to] = this.unreadable.get(path) ?? [0, 0];
    if (offset < to && offset + target.length > from) throw ioError();
    const part = inode.bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  #sync(path: string, inode: Inode): void {
    if (this.#fails("sync", path)) {
      if (this.#random.below(2) === 0) {
        inode.dropped.push([inode.durable.length, inode.bytes.length]);
      }
      throw ioError();
    }
    inode.durable = inode.settled();
  }
}

function ioError(): Error {
  return Object.assign(new Error("Input/output error (os error 5)"), {
    code: "EIO",
  });
}

function noSpaceError(): Error {
  return Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
}
