/**
 * Keeps instances to their `ingestion_rate`, by HTTP and by NATS. A batch is charged
 * for its lines as they come, and for its stored samples once their number is known.
 * The next batch waits until the debt is paid. So that collectors may send a minute's
 * samples at once, an instance may owe a minute of its rate and no more, however many
 * batches it has begun. Main thread.
 */
import { monotonicMs } from "./clock.ts";
import { ClientError } from "./errors.ts";

/** Seconds of the rate that an idle instance may save up. */
const BURST_SEC = 1;
/** Seconds of the rate that an instance may owe. */
const DEBT_SEC = 60;
/** Full buckets of instances that do not write any more are forgotten beyond this. */
const BUCKETS_MAX = 4096;

interface Bucket {
  /** Samples that may be stored; below 0: a debt. */
  samples: number;
  atMs: number;
}

/** The samples that one instance may store. */
export interface InstanceRate {
  /** Throws `E_RATE` (429) while the instance is in debt. */
  admit(): void;
  /** Counts samples; below 0: fewer were stored than were counted before. */
  charge(samples: number): void;
  /** Samples that may be charged until it owes as much as it may. */
  readonly room: number;
  /** Why no more are taken. */
  readonly refusal: string;
}

export class IngestRates {
  readonly #buckets = new Map<string, Bucket>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = monotonicMs) {
    this.#nowMs = nowMs;
  }

  /**
   * Throws `E_RATE` (429) while the instance is in debt. `rate`: samples a second,
   * 0: no limit.
   */
  admit(instance: string, rate: number): void {
    if (rate === 0) return;
    const { samples } = this.#refill(instance, rate);
    if (samples > 0) return;
    throw new ClientError(
      "E_RATE",
      refusal(instance, rate),
      { retryAfterSec: Math.max(1, Math.ceil(-samples / rate)) },
    );
  }

  /** Counts samples; below 0: fewer were stored than were counted before. */
  charge(instance: string, rate: number, samples: number): void {
    if (rate > 0) this.#refill(instance, rate).samples -= samples;
  }

  /** Samples that may be charged until the instance owes as much as it may. */
  room(instance: string, rate: number): number {
    const { samples } = this.#refill(instance, rate);
    return Math.max(0, Math.floor(samples + rate * DEBT_SEC));
  }

  /** The account of an instance; `undefined`: it has no limit. */
  of(
    { name, ingestionRate: rate }: {
      readonly name: string;
      readonly ingestionRate: number;
    },
  ): InstanceRate | undefined {
    if (rate === 0) return undefined;
    const room = () => this.room(name, rate);
    return {
      admit: () => this.admit(name, rate),
      charge: (samples) => this.charge(name, rate, samples),
      get room() {
        return room();
      },
      refusal: refusal(name, rate),
    };
  }

  #refill(instance: string, rate: number): Bucket {
    const now = this.#nowMs();
    const most = rate * BURST_SEC;
    let bucket = this.#buckets.get(instance);
    if (bucket === undefined) {
      if (this.#buckets.size >= BUCKETS_MAX) this.#buckets.clear();
      bucket = { samples: most, atMs: now };
      this.#buckets.set(instance, bucket);
    }
    const earned = (now - bucket.atMs) / 1000 * rate;
    bucket.samples = Math.min(most, bucket.samples + earned);
    bucket.atMs = now;
    return bucket;
  }
}

function refusal(instance: string, rate: number): string {
  return `instance ${instance} is over its ingestion_rate of ${rate} samples per second`;
}
