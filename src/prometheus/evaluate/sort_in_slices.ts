/** Sorting that makes breaks: hundreds of thousands of label sets take a second. Any thread. */
import { type Budget, LABEL_CELLS } from "./budget.ts";

/** Items that are sorted, or merged, without a look at the budget. */
const CHUNK = 1024;

/** A sorted copy; equal items stay in order. */
export async function sortInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  budget: Budget,
): Promise<T[]> {
  let from = items.slice();
  for (let start = 0; start < from.length; start += CHUNK) {
    if (budget.isDue(CHUNK * LABEL_CELLS)) await budget.pause();
    const chunk = from.slice(start, start + CHUNK).sort(compare);
    for (let i = 0; i < chunk.length; i++) from[start + i] = chunk[i]!;
  }
  let to = from.slice();
  for (let width = CHUNK; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      await merge(from, to, start, width, compare, budget);
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges two sorted neighbours of `width` items from `start` on. */
async function merge<T>(
  from: readonly T[],
  to: T[],
  start: number,
  width: number,
  compare: (a: T, b: T) => number,
  budget: Budget,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    if (at % CHUNK === 0 && budget.isDue(CHUNK * LABEL_CELLS)) {
      await budget.pause();
    }
    const takesLeft = left < middle &&
      (right >= end || compare(from[left]!, from[right]!) <= 0);
    to[at] = takesLeft ? from[left++]! : from[right++]!;
  }
}
