/**
 * Samples that say which they are, and what is known of each: so that after a
 * crash every value read can be judged. Metrics have a frequency of 1 s, so each
 * sample has a slot of its own; no slot is ever sent twice.
 */
import assert from "node:assert/strict";
import type { Random } from "../../benches/support/random.ts";

export const CLUSTER = "crash";
export const METRICS = {
  whole: { frequency: 1, aggregation: null },
  odd: { frequency: 1, aggregation: null },
} as const;

const HOSTS = 6;
/**
 * Where samples belong below a host, as tags and as the selector of a query. None
 * at the host itself: without data of its own it would answer with the sum of these.
 */
const LEVELS = ["socket", "core"].map((type) => ({
  tags: `,type=${type},type-id=0`,
  query: { type, "type-ids": ["0"] },
}));
/** Seconds a series may reach, from its first sample on. */
const SPAN_SEC = 100_000;
/** Seconds of one series in a batch. */
const BATCH_SLOTS_MAX = 40;
/** A jump behind which a run ends, and one that it may survive. */
const JUMPS = [700, 90];

/** What is known of a slot. */
const NEVER_SENT = 0;
/** Sent, and nobody said what became of it. */
const OPEN = 1;
/** Acknowledged, or read after a restart: it must never be missing again. */
const KEPT = 2;

interface Series {
  readonly host: string;
  readonly metric: keyof typeof METRICS;
  readonly level: typeof LEVELS[number];
  readonly states: Uint8Array;
  readonly values: Float64Array;
  /** The slot after the newest that was sent. */
  next: number;
  /** Slots that were jumped over, to be sent late. */
  readonly holes: number[];
}

/** A batch, and which slots it fills. */
export interface NumberedBatch {
  readonly lines: string;
  readonly slots: readonly { series: Series; slot: number }[];
}

interface Entry {
  readonly error?: string;
  readonly from: number;
  readonly data: readonly (number | null)[];
}

export class NumberedSamples {
  readonly #series: Series[] = [];
  readonly #random: Random;
  readonly #startSec: number;
  #count = 0;

  /** `startSec`: of the first samples; 100,000 s later must not be ahead of the clock. */
  constructor(random: Random, startSec: number) {
    this.#random = random;
    this.#startSec = startSec;
    for (let host = 0; host < HOSTS; host++) {
      for (const level of LEVELS) {
        for (const metric of ["whole", "odd"] as const) {
          this.#series.push({
            host: `node${host}`,
            metric,
            level,
            states: new Uint8Array(SPAN_SEC),
            values: new Float64Array(SPAN_SEC),
            next: 0,
            holes: [],
          });
        }
      }
    }
  }

  /** How many samples were made. */
  get count(): number {
    return this.#count;
  }

  /** Lines of some series: mostly their next seconds, some jump, some are late. */
  makeBatch(): NumberedBatch {
    const random = this.#random;
    const lines: string[] = [];
    const slots: { series: Series; slot: number }[] = [];
    const send = (series: Series, slot: number) => {
      const number = ++this.#count;
      // Whole numbers and others are compressed differently.
      const value = series.metric === "whole" ? number : number / 7;
      series.values[slot] = value;
      series.states[slot] = OPEN;
      slots.push({ series, slot });
      lines.push(
        `${series.metric},cluster=${CLUSTER},hostname=${series.host}` +
          `${series.level.tags} value=${value} ${this.#startSec + slot}`,
      );
    };
    for (let left = 1 + random.below(6); left > 0; left--) {
      const series = this.#series[random.below(this.#series.length)]!;
      const kind = random.below(20);
      if (kind === 0) {
        const end = series.next + JUMPS[random.below(JUMPS.length)]!;
        while (series.next < end) series.holes.push(series.next++);
      }
      if (kind < 4) {
        const late = Math.min(series.holes.length, 1 + random.below(10));
        for (let i = 0; i < late; i++) {
          const at = random.below(series.holes.length);
          const [slot] = series.holes.splice(at, 1);
          send(series, slot!);
        }
      } else {
        const count = 1 + random.below(BATCH_SLOTS_MAX);
        for (let i = 0; i < count; i++) send(series, series.next++);
      }
    }
    return { lines: lines.join("\n") + "\n", slots };
  }

  /** The server has said that it has the batch. */
  acknowledge(batch: NumberedBatch): void {
    for (const { series, slot } of batch.slots) series.states[slot] = KEPT;
  }

  /** One request for all there may be. */
  get question(): unknown {
    const slots = Math.max(...this.#series.map(({ next }) => next));
    return {
      cluster: CLUSTER,
      from: this.#startSec,
      to: this.#startSec + slots,
      // Else `from` would not be the time of the first value.
      "with-padding": false,
      queries: this.#series.map(({ host, metric, level }) => ({
        host,
        metric,
        aggreg: false,
        resolution: 0,
        ...level.query,
      })),
    };
  }

  /**
   * Judges the answer to `question`: everything acknowledged is there bit for bit,
   * nothing is that was never sent. What was open is settled by it: found samples
   * must stay, others must stay away. Returns how many samples there are.
   */
  check(answerText: string): number {
    const { results } = JSON.parse(answerText) as { results: Entry[][] };
    assert.equal(results.length, this.#series.length);
    let found = 0;
    this.#series.forEach((series, i) => {
      const entry = results[i]?.[0];
      const hasData = entry !== undefined && entry.error === undefined;
      const firstSlot = hasData ? entry.from - this.#startSec : 0;
      for (let slot = 0; slot < series.next; slot++) {
        const value = hasData ? entry.data[slot - firstSlot] ?? null : null;
        const state = series.states[slot];
        if (value === null) {
          if (state === KEPT) this.#fail(series, slot, "is lost");
          series.states[slot] = NEVER_SENT;
          continue;
        }
        if (state === NEVER_SENT) {
          this.#fail(series, slot, `was never sent, reads ${value}`);
        }
        if (!Object.is(value, series.values[slot])) {
          this.#fail(series, slot, `reads ${value}`);
        }
        series.states[slot] = KEPT;
        found++;
      }
    });
    return found;
  }

  #fail({ host, metric, level, values }: Series, slot: number, what: string) {
    assert.fail(
      `sample ${values[slot]} of ${metric} ${host}${level.tags} at ` +
        `${this.#startSec + slot} ${what}`,
    );
  }
}
