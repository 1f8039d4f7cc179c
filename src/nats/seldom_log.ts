/**
 * Lines that outsiders can cause at any rate, logged at a bounded one: a few at
 * once, then one an interval with how many there were in between.
 */
import { monotonicMs } from "../clock.ts";
import type { Log, LogFields } from "../log.ts";

/** So many lines at once, and one more after each interval. */
const BURST = 5;
const INTERVAL_MS = 10_000;

export class SeldomLog {
  readonly #log: Pick<Log, "warn">;
  readonly #nowMs: () => number;
  #tokens = BURST;
  #refilledMs: number;
  #left = 0;

  constructor(log: Pick<Log, "warn">, nowMs: () => number = monotonicMs) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#refilledMs = nowMs();
  }

  warn(message: string, fields: LogFields): void {
    const steps = Math.floor((this.#nowMs() - this.#refilledMs) / INTERVAL_MS);
    this.#tokens = Math.min(BURST, this.#tokens + steps);
    this.#refilledMs += steps * INTERVAL_MS;
    if (this.#tokens === 0) {
      this.#left++;
      return;
    }
    this.#tokens--;
    const more = this.#left === 0 ? {} : { leftOut: this.#left };
    this.#left = 0;
    this.#log.warn(message, { ...fields, ...more });
  }
}
