/**
 * Tokens in use that end before long, so that a collector whose token runs out is
 * noticed before it stops: a metric, and one warning a day. Main thread, bounded.
 */
import { nowSec } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

const DAY_SEC = 86_400;
/** What ends later than that is not told of. */
export const SOON_SEC = 30 * DAY_SEC;
const KEPT_MAX = 1000;
const NAMES_SHOWN = 10;

export class EndingCredentials {
  readonly #log: Pick<Log, "warn">;
  readonly #now: () => number;
  /** When the token ends, by the name of its user or its own. */
  #noted = new Map<string, number>();
  /** Noted since the last warning. */
  #today = new Map<string, number>();
  #warnedSec = -Infinity;

  constructor(log: Pick<Log, "warn">, now: () => number = nowSec) {
    this.#log = log;
    this.#now = now;
  }

  /** A token of that name was used. `expiresSec`: Unix seconds, Infinity: never. */
  note(name: string, expiresSec: number): void {
    if (expiresSec - this.#now() >= SOON_SEC) return;
    if (this.#today.get(name) === expiresSec) return;
    if (this.#today.size >= KEPT_MAX && !this.#today.has(name)) return;
    this.#today.set(name, expiresSec);
    this.#noted.set(name, expiresSec);
  }

  /** How many there are, and when the first ends (Unix seconds; 0: none). */
  get stats(): { readonly count: number; readonly firstSec: number } {
    const now = this.#now();
    const ends = [...this.#noted.values()].filter((sec) => sec > now);
    return {
      count: ends.length,
      firstSec: ends.length === 0 ? 0 : Math.min(...ends),
    };
  }

  /** Called every hour or so; warns once a day, of those used since the last time. */
  tick(): void {
    const now = this.#now();
    if (now - this.#warnedSec < DAY_SEC || this.#today.size === 0) return;
    this.#warnedSec = now;
    const soonest = [...this.#today].sort(([, a], [, b]) => a - b);
    this.#noted = this.#today;
    this.#today = new Map();
    this.#log.warn("credentials in use end within 30 days: make new ones", {
      count: soonest.length,
      soonest: soonest.slice(0, NAMES_SHOWN)
        .map(([name, sec]) => `${name} ${day(sec)}`).join(", "),
    });
  }
}

function day(sec: number): string {
  return new Date(sec * 1000).toISOString().slice(0, 10);
}
