/**
 * Sealed pages: 64 float64 each, in slabs that are reserved on demand and kept
 * for ever. Freed pages are chained through their first slot and handed out
 * again first. Owner thread only.
 *
 * Cost: allocate and free O(1). Page id 0 stands for "all slots empty" and is
 * never handed out.
 */
import { assert } from "../assert.ts";
import { PAGE_BYTES, PAGE_SHIFT, PAGE_SLOTS } from "./layout.ts";

/** 2^15 pages = 16 MiB a slab: small beside any real store, large beside a system call. */
const SLAB_SHIFT = 15;
const SLAB_PAGES = 1 << SLAB_SHIFT;
const SLAB_MASK = SLAB_PAGES - 1;

export class PagePool {
  readonly slabs: Float64Array[] = [];
  /** Next page never handed out; page 0 is reserved. */
  #fresh = 1;
  /** Head of the chain of freed pages, 0: none. */
  #free = 0;
  #used = 0;

  /** Pages in use. */
  get used(): number {
    return this.#used;
  }

  /** A page with undefined contents. */
  allocate(): number {
    this.#used++;
    const freed = this.#free;
    if (freed !== 0) {
      this.#free = this.slab(freed)[this.offset(freed)]!;
      return freed;
    }
    const page = this.#fresh++;
    if (page >>> SLAB_SHIFT >= this.slabs.length) {
      this.slabs.push(
        new Float64Array(new SharedArrayBuffer(SLAB_PAGES * PAGE_BYTES)),
      );
    }
    return page;
  }

  free(page: number): void {
    assert(page > 0 && page < this.#fresh, "freed page was never allocated");
    this.slab(page)[this.offset(page)] = this.#free;
    this.#free = page;
    this.#used--;
  }

  /** A page with every slot empty. */
  allocateEmpty(): number {
    const page = this.allocate();
    const at = this.offset(page);
    this.slab(page).fill(NaN, at, at + PAGE_SLOTS);
    return page;
  }

  /** The slab a page lies in. */
  slab(page: number): Float64Array {
    return this.slabs[page >>> SLAB_SHIFT]!;
  }

  /** Index of the page's first slot within its slab. */
  offset(page: number): number {
    return (page & SLAB_MASK) << PAGE_SHIFT;
  }
}
