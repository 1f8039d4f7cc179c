/** Waiting between attempts: longer each time, never in step with others. */
import type { ErrorCode } from "../base/errors.ts";

/** Codes of failures that pass, for any event or batch: another attempt may succeed. */
export const PASSING: readonly ErrorCode[] = [
  "E_OVERLOAD",
  "E_NOT_READY",
  "E_STORAGE",
];

/** Half of the pause is left to chance, so that many clients do not come at once. */
const JITTER = 0.5;

/** Milliseconds before attempt `attempt` (from 1): doubles from `firstMs` up to `mostMs`. */
export function pauseMs(
  attempt: number,
  firstMs: number,
  mostMs: number,
  random: () => number = chance,
): number {
  const pause = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return pause * (1 - JITTER * random());
}

/** Resolves after `ms`, or at once when `signal` is or gets aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** In [0, 1). */
function chance(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}
