/** The only place that reads the wall clock, so that tests can see who does. */
export function nowSec(): number {
  return Math.floor(Date.now() / 1000);
}

/** Milliseconds of a clock that never goes backwards; for durations only. */
export function monotonicMs(): number {
  return performance.now();
}
