/**
 * Work that is done again and again, or once a day. A piece of work never overlaps
 * itself, and one that fails is reported and done again at its next time. Main thread.
 */
import { nowSec } from "../../base/clock.ts";
import { errorText } from "../../base/log.ts";
import type { JobLog } from "./services.ts";

const DAY_MS = 86_400_000;

export class Schedule {
  readonly #log: JobLog;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #working = new Set<Promise<void>>();
  #isClosed = false;

  constructor(log: JobLog) {
    this.#log = log;
  }

  /** First after `sec`, then that long after the end of the time before. */
  every(sec: number, name: string, work: () => Promise<unknown>): void {
    this.#after(sec * 1000, async () => {
      await this.#do(name, work);
      if (!this.#isClosed) this.every(sec, name, work);
    });
  }

  /** At a full hour of the local time zone. */
  daily(hour: number, name: string, work: () => Promise<unknown>): void {
    this.#after(msUntilHour(hour, new Date(nowSec() * 1000)), async () => {
      await this.#do(name, work);
      if (!this.#isClosed) this.daily(hour, name, work);
    });
  }

  /** Nothing begins any more; resolves when what is under way is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#working);
  }

  #after(ms: number, next: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const working = next().finally(() => this.#working.delete(working));
      this.#working.add(working);
    }, ms);
    this.#timers.add(timer);
  }

  async #do(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.err("background work failed", {
        name,
        error: errorText(error),
      });
    }
  }
}

/** Milliseconds from `now` to the next time it is that hour, local time. */
export function msUntilHour(hour: number, now: Date): number {
  const next = new Date(now);
  next.setHours(hour, 0, 0, 0);
  if (next <= now) next.setDate(next.getDate() + 1);
  // A day of 23 hours must not make it come at once.
  return Math.min(Math.max(next.getTime() - now.getTime(), 1), 2 * DAY_MS);
}
