/**
 * Long lists of a request are gone through in slices, with turns for others in between;
 * short ones at once, without a promise. Main thread only.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Elements of a slice: a few milliseconds. */
const SLICE = 1 << 14;

/**
 * Calls `work` with slices `[from, to)` of a list of `count` elements, in order. Returns
 * a promise where there is more than one slice; it rejects with what `work` throws.
 */
export function inTurns(
  count: number,
  work: (from: number, to: number) => void,
): Promise<void> | undefined {
  if (count > SLICE) return slices(count, work);
  work(0, count);
  return undefined;
}

async function slices(
  count: number,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += SLICE) {
    work(from, Math.min(count, from + SLICE));
    await nextTurn();
  }
}
