/**
 * Slows down guessing: failed logins per client address and user name, five at
 * once and then one every three minutes. Main thread, bounded.
 */
import { isIP } from "node:net";
import { nowSec } from "../clock.ts";

const BURST = 5;
const REFILL_SEC = 180;
/** By then every bucket is full again. */
const FORGET_SEC = BURST * REFILL_SEC;
const BUCKETS_MAX = 100_000;

interface Bucket {
  tokens: number;
  atSec: number;
}

export class LoginLimiter {
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(now: () => number = nowSec) {
    this.#now = now;
  }

  /** Seconds until another attempt is looked at; 0: now. */
  waitSec(address: string, username: string): number {
    const bucket = this.#buckets.get(key(address, username));
    if (bucket === undefined) return 0;
    const tokens = this.#refilled(bucket);
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * REFILL_SEC);
  }

  countFailure(address: string, username: string): void {
    const name = key(address, username);
    const before = this.#buckets.get(name);
    const tokens = before === undefined ? BURST : this.#refilled(before);
    this.#buckets.delete(name);
    this.#forgetOld();
    this.#buckets.set(name, { tokens: tokens - 1, atSec: this.#now() });
  }

  /** The user is who they say: mistypes before do not count any more. */
  forget(address: string, username: string): void {
    this.#buckets.delete(key(address, username));
  }

  #refilled({ tokens, atSec }: Bucket): number {
    return Math.min(BURST, tokens + (this.#now() - atSec) / REFILL_SEC);
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [name, { atSec }] of this.#buckets) {
      const isOld = now - atSec > FORGET_SEC;
      if (!isOld && this.#buckets.size < BUCKETS_MAX) return;
      this.#buckets.delete(name);
    }
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
