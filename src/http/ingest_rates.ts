/**
 * Keeps instances to their `ingestion_rate`. A batch is charged for its lines as they
 * come, and for what it stored once that is known; the next batch waits until the
 * debt is paid: an instance may be ahead of its rate by the batches it began while
 * it was not in debt. Main thread.
 */
import { monotonicMs } from "../clock.ts";
import { ClientError } from "../errors.ts";

/** Seconds of the rate that an idle instance may save up. */
const BURST_SEC = 1;
/** Full buckets of instances that do not write any more are forgotten beyond this. */
const BUCKETS_MAX = 4096;

interface Bucket {
  /** Samples that may be stored; below 0: a debt. */
  samples: number;
  atMs: number;
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
      `instance ${instance} is over its ingestion_rate of ${rate} samples per second`,
      { retryAfterSec: Math.max(1, Math.ceil(-samples / rate)) },
    );
  }

  /** Counts samples; below 0: fewer were stored than were counted before. */
  charge(instance: string, rate: number, samples: number): void {
    if (rate > 0) this.#refill(instance, rate).samples -= samples;
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
