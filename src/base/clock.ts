/** The only place that reads the wall clock, so that tests can see who does. */
export function nowSec(): number {
  return Math.floor(Date.now() / 1000);
}

/** Now as RFC 3339 in UTC with microseconds: `2026-01-31T12:00:00.000001Z`. */
export function nowRfc3339(): string {
  return Temporal.Now.instant().toString({ smallestUnit: "microsecond" });
}

/** Milliseconds of a clock that never goes backwards; for durations only. */
export function monotonicMs(): number {
  return performance.now();
}
