/**
 * Shares a bounded resource among all callers, so that no caller can take it away from
 * the others: bytes in flight, calls of the database, answers being built, places in a
 * queue. It knows amounts and who holds them, not what they are. One thread.
 *
 * ```ts
 * const pool = new SharedPool({ what: "database calls", capacity: 1024, waitMs: 0 });
 * const claim = pool.claim("token:slurm", "write");
 * try {
 *   if (!claim.tryTake(1)) await claim.take(1);  // ClientError E_OVERLOAD (503)
 *   await work();
 * } finally {
 *   claim.close();                               // gives everything back
 * }
 * ```
 *
 * The rules, for each class by itself:
 *
 * 1. A half of the pool is for writes of machines (`write`), the other half is for
 *    everything else (`read`). Neither class can take what is the other's.
 * 2. A claim whose principal holds nothing else in the class is always let in, also
 *    beyond the half: no principal can be shut out. So a pool may be exceeded by what
 *    one request may hold, times the principals that exceed it.
 * 3. While another principal waits, a principal gets no more than a quarter of the
 *    pool; while none does, it may have all of the half.
 * 4. Waiting claims are served in turn by principal, in order within a principal. A
 *    claim that holds something goes before the new ones of its principal, since room
 *    comes from claims that end.
 * 5. Where everything in use is held by claims that wait themselves, the one that was
 *    opened last is refused.
 * 6. Amounts that exist already are added without asking (`add`), and count for all
 *    rules.
 * 7. `admin` is always let in: the administrator can act while the pool is full.
 */
import { assert } from "./assert.ts";
import { ClientError } from "./errors.ts";

/** `write`: of machines. `read`: of everybody else. `admin`: never waits. */
export type ShareClass = "write" | "read" | "admin";

/** Claims of a principal that may wait; one more is refused at once. */
export const WAITING_MAX = 256;
/** The part of the pool that each class has. */
const CLASS_SHARE = 1 / 2;
/** The part of it that a principal has while others wait. */
const PRINCIPAL_SHARE = 1 / 4;
const RETRY_AFTER_SEC = 1;

export interface PoolOptions {
  /** Name of the resource in the text of a refusal: `bytes in flight`. */
  readonly what: string;
  /** Capacity of both classes together. */
  readonly capacity: number;
  /** How long a claim waits for room before it is refused; 0: it is refused at once. */
  readonly waitMs: number;
}

interface Waiter {
  readonly claim: Claim;
  readonly amount: number;
  grant(): void;
  refuse(): void;
}

/** The amounts that one principal holds of one class. */
interface Holder {
  readonly name: string;
  readonly of: ClassState;
  held: number;
  /** Open claims; without any the holder is forgotten. */
  claims: number;
  readonly queue: Waiter[];
}

interface ClassState {
  readonly limit: number;
  readonly quota: number;
  readonly holders: Map<string, Holder>;
  /** Those with a queue, in the order in which they are served next. */
  readonly waiting: Set<Holder>;
  used: number;
  /** Part of `used` that is held by claims that wait. */
  stuck: number;
}

export class SharedPool {
  readonly capacity: number;
  readonly #what: string;
  readonly #waitMs: number;
  readonly #classes: Readonly<Record<ShareClass, ClassState>>;
  #opened = 0;
  #waitsTotal = 0;
  #refusalsTotal = 0;

  constructor({ what, capacity, waitMs }: PoolOptions) {
    this.capacity = capacity;
    this.#what = what;
    this.#waitMs = waitMs;
    const state = (limit: number): ClassState => ({
      limit,
      quota: capacity * PRINCIPAL_SHARE,
      holders: new Map(),
      waiting: new Set(),
      used: 0,
      stuck: 0,
    });
    this.#classes = {
      write: state(capacity * CLASS_SHARE),
      read: state(capacity * CLASS_SHARE),
      admin: state(Infinity),
    };
  }

  /** Returns the amount held of one class, or of all classes together. */
  inUse(of?: ShareClass): number {
    if (of !== undefined) return this.#classes[of].used;
    const { write, read, admin } = this.#classes;
    return write.used + read.used + admin.used;
  }

  /** Claims that had to wait so far, and those that were refused. */
  get waitsTotal(): number {
    return this.#waitsTotal;
  }

  get refusalsTotal(): number {
    return this.#refusalsTotal;
  }

  /** Counts a refusal for pressure elsewhere. */
  countRefusal(): void {
    this.#refusalsTotal++;
  }

  /**
   * Opens a claim that holds nothing yet; it must be closed. `principal` names who
   * asks, one name for all requests of the same credential.
   */
  claim(principal: string, of: ShareClass): Claim {
    const { holders } = this.#classes[of];
    let holder = holders.get(principal);
    if (holder === undefined) {
      holder = {
        name: principal,
        of: this.#classes[of],
        held: 0,
        claims: 0,
        queue: [],
      };
      holders.set(principal, holder);
    }
    holder.claims++;
    return new Claim(this, holder, this.#opened++);
  }

  /** The answer to a claim for which there was no room. */
  overloaded(): ClientError {
    return new ClientError(
      "E_OVERLOAD",
      `too many ${this.#what}, try again later`,
      { retryAfterSec: RETRY_AFTER_SEC },
    );
  }

  /** Only for {@linkcode Claim}. */
  tryTake(claim: Claim, holder: Holder, amount: number): boolean {
    const isNext = claim.held > 0 || holder.of.waiting.size === 0;
    const may = isAlone(claim, holder) ||
      (isNext && fits(holder, amount) && isWithinQuota(holder, amount));
    if (may) this.add(claim, holder, amount);
    return may;
  }

  /** Only for {@linkcode Claim}. */
  take(claim: Claim, holder: Holder, amount: number): Promise<void> {
    if (this.tryTake(claim, holder, amount)) return Promise.resolve();
    const { of, queue } = holder;
    if (this.#waitMs === 0 || queue.length >= WAITING_MAX) {
      this.#refusalsTotal++;
      return Promise.reject(this.overloaded());
    }
    assert(claim.waiter === undefined, "a claim waits once at a time");
    this.#waitsTotal++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      claim,
      amount,
      grant: () => {
        clearTimeout(timer);
        resolve();
      },
      refuse: () => {
        clearTimeout(timer);
        this.#refusalsTotal++;
        reject(this.overloaded());
      },
    };
    const timer = setTimeout(() => {
      this.#leave(waiter, holder);
      waiter.refuse();
      // Those behind may be smaller and fit.
      this.#serve(of);
    }, this.#waitMs);
    claim.waiter = waiter;
    of.stuck += claim.held;
    if (claim.held > 0) {
      const behind = queue.findIndex((other) => other.claim.held === 0);
      queue.splice(behind < 0 ? queue.length : behind, 0, waiter);
    } else queue.push(waiter);
    of.waiting.add(holder);
    // This waiter may have ended the time in which principals could exceed a quarter.
    this.#serve(of);
    return promise;
  }

  /** Only for {@linkcode Claim}. */
  add(claim: Claim, holder: Holder, amount: number): void {
    claim.held += amount;
    holder.held += amount;
    holder.of.used += amount;
    if (claim.waiter !== undefined) holder.of.stuck += amount;
  }

  /** Only for {@linkcode Claim}. */
  release(claim: Claim, holder: Holder, amount: number): void {
    assert(amount <= claim.held, `more ${this.#what} released than were taken`);
    claim.held -= amount;
    holder.held -= amount;
    holder.of.used -= amount;
    if (claim.waiter !== undefined) holder.of.stuck -= amount;
    if (holder.of.waiting.size > 0) this.#serve(holder.of);
  }

  /** Only for {@linkcode Claim}. */
  close(claim: Claim, holder: Holder): void {
    const { waiter } = claim;
    if (waiter !== undefined) {
      this.#leave(waiter, holder);
      waiter.refuse();
    }
    if (--holder.claims === 0) holder.of.holders.delete(holder.name);
    this.release(claim, holder, claim.held);
  }

  /** Takes a waiter out of its queue. */
  #leave(waiter: Waiter, holder: Holder): void {
    const { of, queue } = holder;
    queue.splice(queue.indexOf(waiter), 1);
    waiter.claim.waiter = undefined;
    of.stuck -= waiter.claim.held;
    if (queue.length === 0) of.waiting.delete(holder);
  }

  /** Lets in the claims that the rules let in, then breaks a tie if none can go on. */
  #serve(of: ClassState): void {
    while (this.#serveOne(of) || this.#refuseNewest(of));
  }

  #serveOne(of: ClassState): boolean {
    let isFull = false;
    for (const holder of of.waiting) {
      const waiter = this.#next(holder, isFull);
      if (waiter === undefined) {
        // A larger claim keeps its turn: smaller ones that come later wait behind it.
        isFull ||= isWithinQuota(holder, holder.queue[0]!.amount);
        continue;
      }
      this.#leave(waiter, holder);
      this.add(waiter.claim, holder, waiter.amount);
      waiter.grant();
      // The others first, next time.
      if (of.waiting.delete(holder)) of.waiting.add(holder);
      return true;
    }
    return false;
  }

  /** Returns the waiting claim of a principal that may go on. */
  #next(holder: Holder, isFull: boolean): Waiter | undefined {
    const alone = holder.queue.find(({ claim }) => isAlone(claim, holder));
    if (alone !== undefined) return alone;
    const { amount } = holder.queue[0]!;
    const may = !isFull && fits(holder, amount) &&
      isWithinQuota(holder, amount);
    return may ? holder.queue[0] : undefined;
  }

  /** Rule 5. */
  #refuseNewest(of: ClassState): boolean {
    if (of.stuck === 0 || of.stuck < of.used) return false;
    let newest: Waiter | undefined;
    let whose: Holder | undefined;
    for (const holder of of.waiting) {
      for (const waiter of holder.queue) {
        if (waiter.claim.held === 0) break;
        if (newest !== undefined && newest.claim.number > waiter.claim.number) {
          continue;
        }
        newest = waiter;
        whose = holder;
      }
    }
    assert(newest !== undefined && whose !== undefined, "nobody is stuck");
    this.#leave(newest, whose);
    newest.refuse();
    // The owner of the refused claim closes it, which frees what it holds.
    return false;
  }
}

/** The part of a pool that one request holds. */
export class Claim {
  /** Grows with each claim of the pool. */
  readonly number: number;
  /** Only for {@linkcode SharedPool}. */
  held = 0;
  waiter: Waiter | undefined;
  readonly #pool: SharedPool;
  readonly #holder: Holder;
  #isClosed = false;

  constructor(pool: SharedPool, holder: Holder, number: number) {
    this.#pool = pool;
    this.#holder = holder;
    this.number = number;
  }

  /** Whether everything was given back. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes so much more if the rules allow it at once. */
  tryTake(amount: number): boolean {
    return !this.#isClosed && this.#pool.tryTake(this, this.#holder, amount);
  }

  /**
   * Takes so much more, once there is room. Rejects with `E_OVERLOAD` if none came in
   * time, if the claim was closed meanwhile, or by rule 5; close it then.
   */
  take(amount: number): Promise<void> {
    return this.#isClosed
      ? Promise.reject(this.#pool.overloaded())
      : this.#pool.take(this, this.#holder, amount);
  }

  /** Counts what exists already, such as an answer that waits for its reader. */
  add(amount: number): void {
    if (!this.#isClosed) this.#pool.add(this, this.#holder, amount);
  }

  /** Gives a part back; all of it is back already once the claim is closed. */
  release(amount: number): void {
    if (!this.#isClosed) this.#pool.release(this, this.#holder, amount);
  }

  /** Gives everything back. A second time it does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pool.close(this, this.#holder);
  }
}

/** Rule 2. */
function isAlone(claim: Claim, holder: Holder): boolean {
  return holder.held === claim.held;
}

/** Rule 1. */
function fits({ of }: Holder, amount: number): boolean {
  return of.used + amount <= of.limit;
}

/** Rule 3. */
function isWithinQuota(holder: Holder, amount: number): boolean {
  const { quota, limit, waiting } = holder.of;
  if (holder.held + amount <= quota || limit === Infinity) return true;
  return waiting.size === 0 || (waiting.size === 1 && waiting.has(holder));
}
