/**
 * A query answer boiled down to what two stores must agree on: how many entries
 * and numbers there are and what they add up to.
 */
import type { QueryShape } from "./query_shapes.ts";

export interface AnswerDigest {
  readonly entries: number;
  readonly numbers: number;
  readonly nulls: number;
  readonly sum: number;
  /** Of the entries' averages. */
  readonly averages: number;
}

interface Answer {
  readonly results: readonly (readonly {
    readonly error?: string;
    readonly data?: readonly (number | null)[];
    readonly avg: number | null;
  }[])[];
}

/** Digests the body of an answer; an entry with an error is refused. */
export function digestAnswer(body: Uint8Array): AnswerDigest {
  const { results } = JSON.parse(new TextDecoder().decode(body)) as Answer;
  let entries = 0;
  let numbers = 0;
  let nulls = 0;
  let sum = 0;
  let averages = 0;
  for (const entry of results.flat()) {
    if (entry.error !== undefined) throw new Error(entry.error);
    entries++;
    averages += entry.avg ?? 0;
    for (const value of entry.data ?? []) {
      if (value === null) nulls++;
      else {
        numbers++;
        sum += value;
      }
    }
  }
  return { entries, numbers, nulls, sum, averages };
}

/** Throws when two answers to one question differ by more than printed decimals. */
export function compareAnswers(
  shape: QueryShape,
  ours: AnswerDigest,
  theirs: AnswerDigest,
  who: string,
): void {
  // Upstream prints three decimals of data and two of statistics. Averages are
  // compared only without data: over resampled points they differ on purpose.
  const same = ours.entries === theirs.entries &&
    ours.numbers === theirs.numbers && ours.nulls === theirs.nulls &&
    Math.abs(ours.sum - theirs.sum) <= 0.001 * ours.numbers &&
    (shape.withData ||
      Math.abs(ours.averages - theirs.averages) <= 0.01 * ours.entries);
  if (!same) {
    throw new Error(
      `${shape.name}: ours ${JSON.stringify(ours)}, ${who} ${
        JSON.stringify(theirs)
      }`,
    );
  }
}
