/**
 * Slows down guessing: failed logins per client network and user name, five at once
 * and then one every three minutes; and per network over all names, twenty at once
 * and then one every ten seconds. Main thread, bounded.
 */
import { isIP } from "node:net";
import { nowSec } from "../../base/clock.ts";

const BUCKETS_MAX = 100_000;

/** Failures that are forgiven: `burst` at once, then one in `refillSec`. */
class Budget {
  readonly #burst: number;
  readonly #refillSec: number;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, { tokens: number; atSec: number }>();

  constructor(burst: number, refillSec: number, now: () => number) {
    this.#burst = burst;
    this.#refillSec = refillSec;
    this.#now = now;
  }

  waitSec(name: string): number {
    const tokens = this.#tokens(name);
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * this.#refillSec);
  }

  take(name: string): void {
    const tokens = this.#tokens(name) - 1;
    this.#buckets.delete(name);
    this.#forgetOld();
    this.#buckets.set(name, { tokens, atSec: this.#now() });
  }

  forget(name: string): void {
    this.#buckets.delete(name);
  }

  #tokens(name: string): number {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return this.#burst;
    const gained = (this.#now() - bucket.atSec) / this.#refillSec;
    return Math.min(this.#burst, bucket.tokens + gained);
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [name, { atSec }] of this.#buckets) {
      // By then it is full again.
      const isOld = now - atSec > this.#burst * this.#refillSec;
      if (!isOld && this.#buckets.size < BUCKETS_MAX) return;
      this.#buckets.delete(name);
    }
  }
}

export class LoginLimiter {
  readonly #ofName: Budget;
  readonly #ofNetwork: Budget;

  constructor(now: () => number = nowSec) {
    this.#ofName = new Budget(5, 180, now);
    this.#ofNetwork = new Budget(20, 10, now);
  }

  /** Seconds until another attempt is looked at; 0: now. */
  waitSec(address: string, username: string): number {
    return Math.max(
      this.#ofName.waitSec(key(address, username)),
      this.#ofNetwork.waitSec(networkOf(address)),
    );
  }

  countFailure(address: string, username: string): void {
    this.#ofName.take(key(address, username));
    this.#ofNetwork.take(networkOf(address));
  }

  /** The user is who they say: mistypes before do not count any more. */
  forget(address: string, username: string): void {
    this.#ofName.forget(key(address, username));
  }
}

function key(address: string, username: string): string {
  return `${networkOf(address)}\0${username.slice(0, 100)}`;
}

/** Who has an IPv6 address has 2^64 of them: the first half of it counts. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...new Array<string>(Math.max(0, zeros)).fill("0"), ...last]
    .slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(":");
}
