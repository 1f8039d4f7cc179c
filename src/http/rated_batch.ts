/**
 * A batch of an instance that has an `ingestion_rate`: its lines are charged as they
 * come, since an upload that breaks off has stored them and reports nothing; those
 * beyond what the instance may owe are refused, the others are stored. Main thread.
 */
import {
  type Batch,
  MAX_LINE_ERRORS,
  type WriteReport,
} from "../metricstore/engine/metric_engine.ts";
import type { InstanceRate } from "../base/ingest_rates.ts";

const LF = 0x0a;

export class RatedBatch {
  readonly #rate: InstanceRate;
  readonly #open: () => Batch;
  /** Lines that were let through and charged. */
  #lines = 0;
  #refused = 0;
  /** The last refused byte did not end its line. */
  #isTorn = false;
  /** Nor did the last that was let through: the rest of the line must follow. */
  #isInLine = false;

  /** `open` gives the batch, which is opened with the first bytes. */
  constructor(rate: InstanceRate, open: () => Batch) {
    this.#rate = rate;
    this.#open = open;
  }

  push(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#refused > 0 || this.#isTorn) {
      this.#refuse(chunk);
      return undefined;
    }
    if (chunk.length === 0) return undefined;
    const most = this.#rate.room + (this.#isInLine ? 1 : 0);
    const { lines, end } = firstLines(chunk, most);
    this.#rate.charge(lines);
    this.#lines += lines;
    if (end > 0) this.#isInLine = chunk[end - 1] !== LF;
    if (end === chunk.length) return this.#open().push(chunk);
    this.#refuse(chunk.subarray(end));
    return end === 0 ? undefined : this.#open().push(chunk.subarray(0, end));
  }

  #refuse(rest: Uint8Array): void {
    this.#refused += firstLines(rest, Infinity).lines;
    if (rest.length > 0) this.#isTorn = rest.at(-1) !== LF;
  }

  /** What became of the lines, the refused ones included; settles the account. */
  settle(report: WriteReport): WriteReport {
    this.#rate.charge(report.stored - this.#lines);
    this.#lines = report.stored;
    const refused = this.#refused + (this.#isTorn ? 1 : 0);
    if (refused === 0) return report;
    const line = report.lines + 1;
    const error = {
      line,
      reason: "rate",
      message: `at line ${line}: ${this.#rate.refusal}`,
    } as const;
    return {
      ...report,
      lines: report.lines + refused,
      rejected: {
        ...report.rejected,
        rate: (report.rejected.rate ?? 0) + refused,
      },
      errors: [...report.errors, error].slice(0, MAX_LINE_ERRORS),
    };
  }
}

/** How many lines end in the bytes, `most` of them, and where the last of those ends. */
function firstLines(
  bytes: Uint8Array,
  most: number,
): { lines: number; end: number } {
  let lines = 0;
  let end = 0;
  for (;;) {
    const at = bytes.indexOf(LF, end);
    if (lines >= most) return { lines, end };
    if (at < 0) return { lines, end: bytes.length };
    lines++;
    end = at + 1;
  }
}
