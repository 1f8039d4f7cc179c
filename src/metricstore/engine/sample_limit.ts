/**
 * Limit of the samples that one query request may read: that of the configuration or
 * that of the instance, whichever is less. Each shard keeps to it, and the main thread
 * does for all of them together.
 */
import { ClientError } from "../../base/errors.ts";

export interface SampleLimit {
  /** `Infinity`: none. */
  readonly max: number;
  /** Where the limit was set, for messages. */
  readonly name: string;
}

/** For either, 0 or absent means none. */
export function sampleLimit(
  configured: number,
  ofInstance = 0,
): SampleLimit {
  const max = configured === 0 ? Infinity : configured;
  return ofInstance > 0 && ofInstance < max
    ? { max: ofInstance, name: "limits.max_query_samples of the instance" }
    : { max, name: "metric-store.max-query-samples" };
}

/** The refusal of a query that reads more than `max` samples. */
export function tooManySamples({ max, name }: SampleLimit): ClientError {
  return new ClientError(
    "E_TOO_MANY_SAMPLES",
    `the query reads more than ${max} samples (${name})`,
  );
}
