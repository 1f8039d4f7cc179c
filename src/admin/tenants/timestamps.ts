/** Moments as the admin API writes them: RFC 3339 in UTC, microseconds at most. Pure. */

const RFC3339 =
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;
const MICROSECOND = { smallestUnit: "microsecond" } as const;

/**
 * The same moment in UTC, cut to microseconds; `undefined`: the text is no such
 * moment, or none of a year with four digits.
 */
export function canonicalTime(text: string): string | undefined {
  if (!RFC3339.test(text)) return undefined;
  try {
    const utc = Temporal.Instant.from(text).round({
      ...MICROSECOND,
      roundingMode: "floor",
    }).toString();
    return RFC3339.test(utc) ? utc : undefined;
  } catch (error) {
    // A month 13 and the like.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A moment given in milliseconds since 1970. */
export function timeOfMs(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(ms)).toString();
}
