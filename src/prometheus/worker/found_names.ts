/**
 * Lists series, labels or values, each once and in order: where only the first few are
 * wanted no more than those are kept, and never more than an answer can hold. Evaluator thread only.
 */
import type { Budget } from "../evaluate/budget.ts";
import { compareLabels, compareUtf8, type Labels } from "../evaluate/labels.ts";
import { QueryError } from "../evaluate/query_error.ts";
import { sortInSlices } from "../evaluate/sort_in_slices.ts";
import { labelsJson } from "./json_body.ts";

/** So many more than are wanted are kept before the last ones go. */
const SPARE = 4096;

/** How things of one kind are told apart, ordered, weighed and written. */
interface Kind<T> {
  keyOf(one: T): string;
  compare(a: T, b: T): number;
  /** About the bytes that it takes in an answer, at least. */
  bytesOf(one: T): number;
  json(one: T): string;
}

const TEXT: Kind<string> = {
  keyOf: (text) => text,
  compare: compareUtf8,
  bytesOf: (text) => text.length + 3,
  json: (text) => JSON.stringify(text),
};

const SERIES: Kind<Labels> = {
  keyOf: ({ key }) => key,
  compare: compareLabels,
  bytesOf: ({ key, names }) => key.length + 4 * names.length + 3,
  json: labelsJson,
};

export interface FoundBounds {
  /** So many are wanted; 0: all. */
  readonly limit: number;
  /** Bytes of an answer. */
  readonly maxBytes: number;
}

class Found<T> {
  readonly #kind: Kind<T>;
  readonly #bounds: FoundBounds;
  readonly #byKey = new Map<string, T>();
  #bytes = 0;
  #isCut = false;
  /** Nothing that comes behind it is wanted. */
  #last: T | undefined;

  constructor(kind: Kind<T>, bounds: FoundBounds) {
    this.#kind = kind;
    this.#bounds = bounds;
  }

  /** Throws a {@linkcode QueryError} (`execution`) where no answer could hold all of it. */
  add(one: T): void {
    const { keyOf, compare, bytesOf } = this.#kind;
    if (this.#last !== undefined && compare(one, this.#last) > 0) {
      this.#isCut = true;
      return;
    }
    const key = keyOf(one);
    if (this.#byKey.has(key)) return;
    this.#byKey.set(key, one);
    this.#bytes += bytesOf(one);
    const { maxBytes } = this.#bounds;
    if (this.#bytes <= maxBytes) return;
    throw new QueryError(
      "execution",
      `the answer is larger than ${maxBytes} bytes`,
    );
  }

  /** Whether there are so many that the last ones should go. */
  get isFull(): boolean {
    const { limit } = this.#bounds;
    return limit > 0 && this.#byKey.size > limit + SPARE;
  }

  /** Forgets what is not among the first ones. */
  async trim(budget: Budget): Promise<void> {
    const kept = await this.#sorted(budget);
    const { limit } = this.#bounds;
    this.#isCut ||= kept.length > limit;
    kept.length = Math.min(kept.length, limit);
    this.#last = kept.at(-1);
    this.#byKey.clear();
    this.#bytes = 0;
    for (const one of kept) {
      this.#byKey.set(this.#kind.keyOf(one), one);
      this.#bytes += this.#kind.bytesOf(one);
    }
  }

  #sorted(budget: Budget): Promise<T[]> {
    return sortInSlices([...this.#byKey.values()], this.#kind.compare, budget);
  }

  /** The first ones as JSON, in order, and whether there are more. */
  async finish(
    budget: Budget,
  ): Promise<{ readonly entries: Iterable<string>; readonly isCut: boolean }> {
    const all = await this.#sorted(budget);
    const { limit } = this.#bounds;
    const isCut = this.#isCut || (limit > 0 && all.length > limit);
    if (isCut) all.length = Math.min(all.length, limit);
    return { entries: this.#written(all), isCut };
  }

  *#written(all: readonly T[]): Generator<string> {
    for (const one of all) yield this.#kind.json(one);
  }
}

/** Names, values or label sets that series come with. */
export interface FoundNames {
  add(labels: Labels): void;
  readonly isFull: boolean;
  trim(budget: Budget): Promise<void>;
  finish(
    budget: Budget,
  ): Promise<{ readonly entries: Iterable<string>; readonly isCut: boolean }>;
}

/** Lists the label sets of series, the names of their labels, or the values of `label`. */
export function foundNames(
  kind: "series" | "labels" | "values",
  label: string,
  bounds: FoundBounds,
): FoundNames {
  if (kind === "series") return new Found(SERIES, bounds);
  const found = new Found(TEXT, bounds);
  return {
    add(labels) {
      if (kind === "labels") {
        for (const name of labels.names) found.add(name);
      } else {
        const value = labels.get(label);
        if (value !== "") found.add(value);
      }
    },
    get isFull() {
      return found.isFull;
    },
    trim: (budget) => found.trim(budget),
    finish: (budget) => found.finish(budget),
  };
}
