/**
 * How large may what a request asks for become? Every route that multiplies what a
 * request lists asks here first, with numbers, before it makes anything: a list of
 * a megabyte times another is more than there is memory for. Main thread, shards.
 */
import { ClientError } from "../../base/errors.ts";

/** Entries of an answer: hosts times metrics, ids times sub-ids, nodes times names. */
export const ENTRIES_MAX = 1 << 20;

/** Ids that one query request may name, whether each gets an entry or all one. */
export const IDS_MAX = 10_000_000;
/** Ids of a person's request; dashboards need far less. */
export const PERSONAL_IDS_MAX = 100_000;

/** Bytes of the answer to one query request: far more than a person can look at. */
export const ANSWER_BYTES_MAX = 256 << 20;

/** Text of one answer to a health check; it is written by the main thread. */
export const HEALTH_CHARS_MAX = 64 << 20;

/** So many of something that a request lists. */
export interface Factor {
  readonly count: number;
  /** In the plural, as a message says it. */
  readonly of: string;
}

/** The largest value of a product. */
export interface Bound {
  readonly max: number;
  /** Unit of the product, in the plural. */
  readonly of: string;
}

/**
 * Throws a {@linkcode ClientError} (422) with all the numbers where the factors
 * multiplied, and `besides` added, are over the bound.
 */
export function boundProduct(
  bound: Bound,
  factors: readonly Factor[],
  besides = 0,
): void {
  const product = factors.reduce((made, { count }) => made * count, 1);
  const total = product + besides;
  if (total <= bound.max) return;
  const listed = factors.map(({ count, of }) => `${count} ${of}`).join(" x ");
  const more = besides === 0 ? "" : ` and ${besides} more`;
  throw new ClientError(
    "E_TOO_MANY_SAMPLES",
    `the request asks for ${listed}${more}, that is ${total} ${bound.of}; at most ${bound.max} are answered`,
  );
}

/** Characters of all the texts. */
export function charsOf(texts: readonly string[]): number {
  let chars = 0;
  for (const text of texts) chars += text.length;
  return chars;
}
