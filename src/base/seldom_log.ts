/**
 * Lines that outsiders can cause at any rate, logged at a bounded one: of each kind a
 * few at once, then one an interval with how many there were in between. So a client
 * that repeats one mistake hides no other one. Main thread.
 */
import { monotonicMs } from "./clock.ts";
import type { Log, LogFields } from "./log.ts";

/** So many lines of a kind at once, and one more after each interval. */
const BURST = 5;
const INTERVAL_MS = 10_000;
/** Kinds told apart; all further ones are one kind. */
const KINDS_MAX = 256;
const OTHER_KINDS = "";

/** The lines that one kind may still write. */
interface Allowance {
  lines: number;
  refilledMs: number;
  leftOut: number;
}

export class SeldomLog {
  readonly #log: Pick<Log, "warn">;
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, Allowance>();

  constructor(log: Pick<Log, "warn">, nowMs: () => number = monotonicMs) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /**
   * `fields` may be a function, which is asked only for a line that is written.
   * Absent `kind`: the message is the kind.
   */
  warn(
    message: string,
    fields: LogFields | (() => LogFields),
    kind: string = message,
  ): void {
    const allowance = this.#allowanceOf(kind);
    const passed = this.#nowMs() - allowance.refilledMs;
    const intervals = Math.floor(passed / INTERVAL_MS);
    allowance.lines = Math.min(BURST, allowance.lines + intervals);
    allowance.refilledMs += intervals * INTERVAL_MS;
    if (allowance.lines === 0) {
      allowance.leftOut++;
      return;
    }
    allowance.lines--;
    const { leftOut } = allowance;
    allowance.leftOut = 0;
    this.#log.warn(message, {
      ...(typeof fields === "function" ? fields() : fields),
      ...(leftOut === 0 ? {} : { leftOut }),
    });
  }

  #allowanceOf(kind: string): Allowance {
    const isKept = this.#kinds.has(kind) || this.#kinds.size < KINDS_MAX;
    const key = isKept ? kind : OTHER_KINDS;
    let allowance = this.#kinds.get(key);
    if (allowance === undefined) {
      allowance = { lines: BURST, refilledMs: this.#nowMs(), leftOut: 0 };
      this.#kinds.set(key, allowance);
    }
    return allowance;
  }
}
